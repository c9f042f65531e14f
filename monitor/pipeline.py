"""The flow of Rasid: poll_feed and deliver_due."""
