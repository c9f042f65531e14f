"""The Telegram bot that people talk to: commands, buttons under alerts, rules followed in private. See docs/bot.md."""
