/* The matcher's hot loop: an article is cut into words, their atoms are looked up, and the rules that can be settled by
 * words and phrases alone are settled, with the places of what matched. kernel.py speaks to it, and is where the
 * language is known: every table of letters, affixes and forms comes from there, and so does what a word is that the
 * tables do not settle.
 *
 * A kernel is used by one thread at a time. Texts are code points (UTF-32). Functions that take memory return -1 where
 * there is none left; the kernel may then only be freed. The code of a rule is trusted, texts are not. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORD, ROW, ALL, ANY, PERHAPS, NOT, IN, NEVER, UNKNOWN };         /* what a node of a rule's code is */
enum { NO, YES, MAYBE };                                              /* what it says of an article */
enum { LETTER = 1, LAST = 2, PRONOUN = 4, JOINS = 8 }; /* what a letter may be in a word */
enum { FORM, PREFIX, SUFFIX, SOUND, BEHIND, BEFORE, GRAMMAR, OTHER, KINDS }; /* what is known of the words of rules */
enum { BARE = 1, AL = 2, HOST = 4, OBJECT = 8, EXACT = 16, LATER = 32, ATOM = 64 }; /* how a form may be an atom */
enum { DEFAULT_FIELDS = 7, FIELDS = 8, LEAD = FIELDS };
/* What is stripped off chunks; what hangs on a letter and is no part of its spelling, nor (unseen) of its place. */
enum { EDGE = 1, HANGS = 2, UNSEEN = 4, SPACE = 8 };
enum { ARABIC = 0x600, MARGIN = 0x2100, LONGEST = 91, LONGEST_RUN = 1000, RUN_ON = 6, AFFIX = 4, WIDE_SPACE = 0x3000 };
enum { NEW = -1, NOTHING = -2 }; /* instead of a place in the pool */
enum { NOTHINGS = 1 << 14 };     /* 128 KB, which the cache holds */

typedef struct { uint64_t hash; uint32_t text, size, data; } Entry;   /* data 0: an empty slot */
typedef struct { uint32_t text, size, data; } Form;                   /* data: [count, how an atom may be it …]; 0: none */
typedef struct { uint8_t letters[AFFIX], size, cut, way; } Affix;      /* a proclitic or a pronoun */
typedef struct { uint32_t letters, mask; int size, cut, way; } Begins; /* a proclitic, to compare at once */

/* What chunks are: the texts and, behind each, [words, then of each word: start, end, number of atoms, atoms]. */
typedef struct {
    Entry *slots;
    uint32_t mask, used;
    int32_t *pool;
    size_t length, room;
} Memory;

typedef struct { uint32_t fields; int32_t first, posting, postings; } Atom;
typedef struct { int32_t field, start, end, data; } Word;
typedef struct { int32_t word, next; } Occurrence;
typedef struct { uint64_t hash; int32_t field, start, size, data; } Chunk;
typedef struct { int32_t rank, field, start, end, label; } Span;
typedef struct { int32_t fields, lead; } Scope; /* a bit a field; lead: of the lead's text only the first words */

typedef struct {
    uint64_t seed;
    uint8_t letters[256], margin[MARGIN];
    uint8_t folded[256], sounds[256];
    int always_ask, expected[KINDS];
    uint64_t *known; /* a Bloom filter of what may make a word an atom */
    uint64_t known_mask;
    Begins *proclitics;
    uint8_t proclitics_of[257]; /* those with a first letter, and the end */
    Affix *pronouns;
    int32_t pronoun_count;
    uint8_t article_letters[2];
    Form *forms;
    uint64_t form_mask;
    uint8_t *form_text;
    int32_t *form_data;
    int32_t *made; /* what the last word that was settled here is, as a Memory holds it */
    size_t made_count, made_room;

    uint64_t *nothings; /* the hashes of chunks met lately that no rule means; a false one comes once in 10^19 */
    Memory young, old;
    size_t kept; /* numbers in a memory's pool before it grows old */

    int32_t *code, *starts, *labels, *always, *postings, *candidates;
    uint8_t *pure;
    uint32_t *asked; /* the last article in which a rule was a candidate */
    int32_t rules, always_count, atom_count, candidate_count;
    Atom *atoms;
    uint64_t *met; /* the atoms of the article, a bit each */
    int32_t rank[FIELDS], lead_field, lead_words, most_spans;

    uint32_t article;
    uint32_t *texts[FIELDS];
    size_t text_room[FIELDS];
    Chunk *chunks;
    Word *words;
    Occurrence *occurrences;
    Span *spans;
    int32_t *seen, *out, *places;
    size_t chunk_count, chunk_room, word_count, word_room, occurrence_count, occurrence_room, span_count, span_room;
    size_t seen_count, seen_room, out_count, out_room, place_count, place_room;
    int32_t first[FIELDS + 1]; /* the first word of each field */
    int failed;
} Kernel;

#ifdef __GNUC__
#define SOON(address) __builtin_prefetch(address)
#else
#define SOON(address) ((void)(address))
#endif

/* ── memory ── */

static int grow(void *array, size_t *room, size_t need, size_t each) {
    if (need <= *room) return 1;
    size_t more = *room ? *room : 64;
    while (more < need) more *= 2;
    void *bigger = realloc(*(void **)array, more * each);
    if (!bigger) return 0;
    *(void **)array = bigger;
    *room = more;
    return 1;
}

#define ROOM(array, count, room) grow(&(array), &(room), (count), sizeof *(array))

static uint64_t step(uint64_t hash, uint32_t letter) {
    hash = (hash ^ letter) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

static uint64_t hash_of(const Kernel *k, const uint32_t *text, uint32_t size) {
    uint64_t hash = k->seed;
    for (uint32_t i = 0; i < size; i++) hash = step(hash, text[i]);
    return hash ^ (hash >> 32);
}

static Entry *slot(const Memory *memory, uint64_t hash, const uint32_t *text, uint32_t size) {
    for (uint32_t at = (uint32_t)hash & memory->mask;; at = (at + 1) & memory->mask) {
        Entry *entry = &memory->slots[at];
        if (!entry->data) return entry;
        if (entry->hash == hash && entry->size == size && !memcmp(memory->pool + entry->text, text, size * 4))
            return entry;
    }
}

static int empty(Memory *memory) {
    memset(memory, 0, sizeof *memory);
    memory->mask = 1023;
    memory->length = 1; /* 0 is no place */
    memory->slots = calloc(memory->mask + 1, sizeof(Entry));
    return memory->slots && ROOM(memory->pool, 1, memory->room);
}

static void drop(Memory *memory) {
    free(memory->slots);
    free(memory->pool);
}

static int spread(Memory *memory) {
    uint32_t mask = memory->mask * 2 + 1;
    Entry *slots = calloc((size_t)mask + 1, sizeof(Entry));
    if (!slots) return 0;
    for (uint32_t i = 0; i <= memory->mask; i++) {
        Entry entry = memory->slots[i];
        if (!entry.data) continue;
        uint32_t at = (uint32_t)entry.hash & mask;
        while (slots[at].data) at = (at + 1) & mask;
        slots[at] = entry;
    }
    free(memory->slots);
    memory->slots = slots;
    memory->mask = mask;
    return 1;
}

/* Remembers what a chunk is; its place in the young pool, or 0. */
static uint32_t remember(Kernel *k, uint64_t hash, const uint32_t *text, uint32_t size, const int32_t *data, size_t n) {
    Memory *memory = &k->young;
    int room = memory->used * 2 <= memory->mask || spread(memory);
    k->failed |= !room || !ROOM(memory->pool, memory->length + size + n, memory->room);
    if (k->failed) return 0;
    Entry *entry = slot(memory, hash, text, size);
    if (entry->data) return entry->data;
    *entry = (Entry){hash, (uint32_t)memory->length, size, (uint32_t)(memory->length + size)};
    memcpy(memory->pool + entry->text, text, size * 4);
    memcpy(memory->pool + entry->data, data, n * 4);
    memory->length += size + n;
    memory->used++;
    return entry->data;
}

static size_t length_of(const int32_t *data) {
    const int32_t *at = data + 1;
    for (int32_t i = 0; i < data[0]; i++) at += 3 + at[2];
    return (size_t)(at - data);
}

/* ── words ── */

static uint64_t *known(const Kernel *k, uint64_t hash) { return &k->known[(hash >> 6) & k->known_mask]; }

static uint64_t bits(uint64_t hash) { return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 58); }

static uint64_t begin(const Kernel *k, int what) { return step(k->seed, (uint32_t)what); }

static int is_known(const Kernel *k, uint64_t hash) {
    hash ^= hash >> 32;
    return (*known(k, hash) & bits(hash)) == bits(hash);
}

/* A word of plain letters, marks apart: its letters from ARABIC on, as spelled and folded, and its place in its chunk. */
typedef struct { uint8_t spelled[LONGEST + AFFIX], folded[LONGEST]; uint32_t size, start, end; } Spelling;
/* How many letters may be cut off its beginning, a bit for each number: what is left then is bare, or had the article. */
typedef struct { uint32_t bare, al; } Cuts;

static int margin(const Kernel *k, uint32_t c) { return c < MARGIN ? k->margin[c] : c == WIDE_SPACE ? SPACE : 0; }

static uint64_t hash_of_letters(const Kernel *k, int what, const uint8_t *letters, uint32_t size) {
    uint64_t hash = begin(k, what);
    for (uint32_t i = 0; i < size; i++) hash = step(hash, letters[i]);
    return hash;
}

static int part_is_known(const Kernel *k, int what, const uint8_t *letters, uint32_t size) {
    return is_known(k, hash_of_letters(k, what, letters, size));
}

/* Whether a chunk is one word of plain letters, marks apart. */
static int spell(const Kernel *k, const uint32_t *text, uint32_t size, Spelling *word) {
    word->size = 0;
    if (size > LONGEST_RUN) return 0;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t letter = text[i] - ARABIC; /* wraps: too large */
        int about = margin(k, text[i]);
        if (!(about & UNSEEN)) word->end = i + 1;
        if (about & HANGS) continue;
        if (letter > 255 || word->size == LONGEST) return 0;
        if (!word->size) word->start = i;
        else if (!(k->letters[word->spelled[word->size - 1]] & LETTER)) return 0;
        if (!(k->letters[letter] & (word->size ? LETTER | LAST : LETTER))) return 0;
        word->spelled[word->size] = (uint8_t)letter;
        word->folded[word->size++] = k->folded[letter];
    }
    return word->size > 0;
}

/* Of a word or a part of one; AFFIX bytes are read. */
static Cuts cuts_of(const Kernel *k, const uint8_t *spelled, uint32_t size) {
    Cuts cuts = {1, 0};
    uint32_t letters;
    memcpy(&letters, spelled, AFFIX);
    for (int i = k->proclitics_of[spelled[0]]; i < k->proclitics_of[spelled[0] + 1]; i++) {
        const Begins *one = &k->proclitics[i];
        if ((letters & one->mask) != one->letters || (int)size < one->size + 2) continue;
        *(one->way == AL ? &cuts.al : &cuts.bare) |= 1u << one->cut;
    }
    return cuts;
}

static int is_form(const Kernel *k, const Spelling *word, uint32_t start, uint32_t size) {
    Cuts cuts = cuts_of(k, word->spelled + start, size);
    for (uint32_t from = 0, all = cuts.bare | cuts.al; all >> from; from++)
        if (all >> from & 1 && part_is_known(k, FORM, word->folded + start + from, size - from)) return 1;
    return 0;
}

/* Whether a name may stand in it that lost its space to a word of grammar. */
static int runs_on(const Kernel *k, const Spelling *word) {
    const uint8_t *letters = word->spelled;
    uint32_t size = word->size;
    if (size < RUN_ON) return 0;
    for (uint32_t n = 2; n <= 4; n++)
        if (part_is_known(k, BEHIND, letters + size - n, n) && is_form(k, word, 0, size - n)) return 1;
    for (uint32_t joined = 0; joined <= ((k->letters[letters[0]] & JOINS) != 0); joined++)
        for (uint32_t n = 2; n <= 3; n++)
            if (part_is_known(k, BEFORE, letters + joined, n) && is_form(k, word, joined + n, size - joined - n)) return 1;
    return 0;
}

static int may_sound(const Kernel *k, const uint8_t *folded, uint32_t size) {
    if (!k->expected[SOUND]) return 0;
    uint64_t sound = begin(k, SOUND);
    uint8_t last = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint8_t class = k->sounds[folded[i]];
        if (class && class != last) sound = step(sound, last = class);
    }
    return is_known(k, sound);
}

static int may_begin(const Kernel *k, const uint8_t *folded, uint32_t size) {
    return k->expected[PREFIX] && size >= 3 && part_is_known(k, PREFIX, folded, 3);
}

static int may_end(const Kernel *k, const uint8_t *folded, uint32_t size) {
    return k->expected[SUFFIX] && size >= 3 && part_is_known(k, SUFFIX, folded + size - 3, 3);
}

/* What is left of a word: whether a rule's word is spelled so, with a pronoun or without, or may begin or sound so. */
static int rest_is_known(const Kernel *k, const uint8_t *folded, uint32_t size, int pronoun) {
    uint64_t form = begin(k, FORM);
    for (uint32_t i = 0; i < size; i++) {
        form = step(form, folded[i]);
        if ((i + 1 == size || (pronoun && i + 4 >= size)) && is_known(k, form)) return 1;
    }
    return may_begin(k, folded, size) || may_sound(k, folded, size);
}

/* Whether no rule can mean a word. */
static int is_nothing(const Kernel *k, const Spelling *word) {
    if (k->always_ask) return 0;
    int pronoun = (k->letters[word->spelled[word->size - 1]] & PRONOUN) != 0;
    Cuts cuts = cuts_of(k, word->spelled, word->size);
    for (uint32_t from = 0, all = cuts.bare | cuts.al; all >> from; from++)
        if (all >> from & 1 && rest_is_known(k, word->folded + from, word->size - from, pronoun)) return 0;
    return !may_end(k, word->folded, word->size) && !runs_on(k, word);
}

/* Whether a chunk is a number or an ASCII word that no rule can mean. */
static int is_foreign(const Kernel *k, const uint32_t *text, uint32_t size) {
    if (k->always_ask || k->expected[PREFIX] || k->expected[SUFFIX] || k->expected[SOUND] || size > LONGEST) return 0;
    uint64_t hash = begin(k, FORM);
    int digits = text[0] <= '9';
    for (uint32_t i = 0; i < size; i++) {
        uint32_t low = digits ? text[i] : text[i] | 0x20;
        if (digits ? low < '0' || low > '9' : low < 'a' || low > 'z') return 0;
        hash = step(hash, low - ARABIC);
    }
    return !is_known(k, hash);
}

/* Whether more than forms must be known to say what a word is: kernel.py is asked. */
static int is_in_doubt(const Kernel *k, const Spelling *word, Cuts cuts) {
    if (k->always_ask || may_end(k, word->folded, word->size) || runs_on(k, word)) return 1;
    for (uint32_t from = 0, all = cuts.bare | cuts.al; all >> from; from++) {
        const uint8_t *rest = word->folded + from;
        uint32_t size = word->size - from;
        if (all >> from & 1 && (may_begin(k, rest, size) || may_sound(k, rest, size))) return 1;
    }
    return 0;
}

/* Whether a word that is some atoms by its forms may be grammar, or another word: kernel.py is asked. */
static int may_be_refused(const Kernel *k, const Spelling *word, Cuts cuts) {
    const uint8_t *spelled = word->spelled;
    if (part_is_known(k, GRAMMAR, spelled, word->size)) return 1;
    if (k->letters[spelled[0]] & JOINS && part_is_known(k, GRAMMAR, spelled + 1, word->size - 1)) return 1;
    for (uint32_t from = 0, all = cuts.bare | cuts.al; all >> from; from++) /* also without a pronoun */
        for (uint32_t left = word->size - from, n = 0; all >> from & 1 && n <= 3 && n < left; n++)
            if (part_is_known(k, OTHER, spelled + from, left - n)) return 1;
    return 0;
}

static int add_atom(Kernel *k, int32_t atom) {
    size_t at = k->made_count++;
    if (!ROOM(k->made, k->made_count, k->made_room)) return 0;
    while (at > 4 && k->made[at - 1] > atom) k->made[at] = k->made[at - 1], at--;
    k->made[at] = atom;
    return 1;
}

/* Adds the atoms that a form may be in one of these ways. plain: no proclitic stands before it but the article. */
static int add_form(Kernel *k, const uint8_t *folded, uint32_t size, int ways, int plain) {
    uint64_t hash = hash_of_letters(k, FORM, folded, size);
    if (!is_known(k, hash)) return 1;
    for (uint64_t at = hash ^ hash >> 32;; at++) {
        const Form *form = &k->forms[at & k->form_mask];
        if (!form->data) return 1;
        if (form->size != size || memcmp(k->form_text + form->text, folded, size)) continue;
        const int32_t *data = k->form_data + form->data;
        for (int32_t i = 1; i <= data[0]; i++)
            if (data[i] & ways && (plain || !(data[i] & LATER)) && !add_atom(k, data[i] / ATOM)) return 0;
        return 1;
    }
}

static int add_rest(Kernel *k, const Spelling *word, uint32_t from, int ways) {
    const uint8_t *rest = word->folded + from;
    uint32_t size = word->size - from;
    int plain = !from || (from == 2 && !memcmp(word->folded, k->article_letters, 2));
    if (!add_form(k, rest, size, ways, plain)) return 0;
    for (int32_t i = 0; ways & BARE && i < k->pronoun_count; i++) {
        const Affix *one = &k->pronouns[i];
        if (size <= one->size || memcmp(rest + size - one->size, one->letters, one->size)) continue;
        if (!add_form(k, rest, size - one->size, one->way, plain)) return 0;
    }
    return 1;
}

/* What a word is that was never met before, in `made`; 0 where there is no memory left. */
static int settle(Kernel *k, const Spelling *word, Cuts cuts) {
    k->made_count = 4;
    if (!ROOM(k->made, k->made_count, k->made_room)) return 0;
    for (uint32_t from = 0, all = cuts.bare | cuts.al; all >> from; from++) {
        if (cuts.bare >> from & 1 && !add_rest(k, word, from, from ? BARE : BARE | EXACT)) return 0;
        if (cuts.al >> from & 1 && !add_rest(k, word, from, AL)) return 0;
    }
    size_t kept = 4;
    for (size_t i = 4; i < k->made_count; i++)
        if (i == 4 || k->made[i] != k->made[i - 1]) k->made[kept++] = k->made[i];
    k->made[0] = 1, k->made[1] = (int32_t)word->start, k->made[2] = (int32_t)word->end;
    k->made[3] = (int32_t)kept - 4;
    k->made_count = kept;
    return 1;
}

static int is_plain(const Kernel *k, uint32_t c) { return c - ARABIC < 256 && k->letters[c - ARABIC] & LETTER; }

/* Newspapers lose the space behind a full stop. Where the next word is of plain letters, punctuation always parts. */
static int is_gap(const Kernel *k, const uint32_t *text, uint64_t size, uint64_t at) {
    if (!at || margin(k, text[at - 1]) & (EDGE | SPACE)) return 0;
    while (at < size && margin(k, text[at]) & EDGE) at++;
    return at < size && is_plain(k, text[at]);
}

static int32_t look_up(Kernel *k, uint64_t hash, const uint32_t *text, uint32_t size) {
    Entry *entry = slot(&k->young, hash, text, size);
    if (entry->data) return (int32_t)entry->data;
    entry = slot(&k->old, hash, text, size);
    if (!entry->data) return NEW;
    const int32_t *data = k->old.pool + entry->data;
    return (int32_t)remember(k, hash, text, size, data, length_of(data));
}

/* ── rules ── */

static int is_met(const Kernel *k, int32_t atom) { return k->met[atom >> 6] >> (atom & 63) & 1; }

static int has(const Kernel *k, const Word *word, int32_t atom) {
    if (word->data < 0) return 0;
    const int32_t *atoms = k->young.pool + word->data;
    for (int32_t i = 1; i <= atoms[0]; i++)
        if (atoms[i] == atom) return 1;
    return 0;
}

static int is_in(const Kernel *k, Scope scope, int32_t first, int32_t last) {
    int32_t field = k->words[first].field;
    if (!(scope.fields >> field & 1)) return 0;
    return !scope.lead || field != k->lead_field || last - k->first[field] < k->lead_words;
}

/* The row's first word where it stands next, from an occurrence of its rarest atom on; -1 where no more. */
static int32_t next_row(const Kernel *k, const int32_t *row, Scope scope, int32_t rarest, int32_t *occurrence) {
    int32_t size = row[1];
    while (*occurrence >= 0) {
        int32_t first = k->occurrences[*occurrence].word - rarest, last = first + size - 1, i = 0;
        *occurrence = k->occurrences[*occurrence].next;
        if (first < 0 || last >= (int32_t)k->word_count || k->words[first].field != k->words[last].field) continue;
        while (i < size && (i == rarest || has(k, &k->words[first + i], row[3 + i]))) i++;
        if (i == size && is_in(k, scope, first, last)) return first;
    }
    return -1;
}

/* Which word of the row to look for; -1 where one does not occur at all. */
static int32_t rarest_of(const Kernel *k, const int32_t *row) {
    for (int32_t i = 0; i < row[1]; i++)
        if (!is_met(k, row[3 + i])) return -1;
    int32_t best = 0;
    for (int32_t i = 1; i < row[1]; i++) /* few have more than two places: a look at the second will do */
        if (k->occurrences[k->atoms[row[3 + i]].first].next < 0) best = i;
    return best;
}

static int32_t size_of(const int32_t *node) {
    switch (node[0]) {
    case WORD: return 3;
    case ROW: return 3 + node[1];
    case ALL: case ANY: case PERHAPS: case IN: return 3 + node[2];
    case NOT: return 2 + node[1];
    default: return 1;
    }
}

static Scope narrow(const Kernel *k, Scope scope, int32_t name, int outermost) {
    int32_t fields = name == LEAD ? 1 | 1 << k->lead_field : 1 << name;
    return (Scope){outermost ? fields : scope.fields & fields, scope.lead | (name == LEAD)};
}

static int everywhere(Scope scope) { return scope.fields == DEFAULT_FIELDS && !scope.lead; }

static int holds(const Kernel *k, const int32_t *node, Scope scope) {
    switch (node[0]) {
    case WORD:
        if (!is_met(k, node[1]) || !(k->atoms[node[1]].fields & (uint32_t)scope.fields)) return NO;
        if (!scope.lead) return YES;
        for (int32_t at = k->atoms[node[1]].first; at >= 0; at = k->occurrences[at].next)
            if (is_in(k, scope, k->occurrences[at].word, k->occurrences[at].word)) return YES;
        return NO;
    case ROW: {
        int32_t rarest = rarest_of(k, node);
        if (rarest < 0) return NO;
        int32_t at = k->atoms[node[3 + rarest]].first;
        return next_row(k, node, scope, rarest, &at) >= 0;
    }
    case ALL: case ANY: case PERHAPS: {
        int whole = node[0] == ANY ? NO : YES, settles = node[0] == ANY ? YES : NO;
        const int32_t *child = node + 3;
        for (int32_t i = 0; i < node[1]; i++, child += size_of(child)) {
            int one = holds(k, child, scope);
            if (one == settles) return one;
            if (one == MAYBE) whole = MAYBE;
        }
        return node[0] == PERHAPS ? MAYBE : whole;
    }
    case NOT: {
        int one = holds(k, node + 2, scope);
        return one == MAYBE ? MAYBE : !one;
    }
    case IN: return holds(k, node + 3, narrow(k, scope, node[1], everywhere(scope)));
    case NEVER: return NO;
    default: return MAYBE;
    }
}

static int add_span(Kernel *k, int32_t first, int32_t last, int32_t label) {
    if (!ROOM(k->spans, k->span_count + 1, k->span_room)) return 0;
    const Word *from = &k->words[first];
    int32_t end = k->words[last].end;
    k->spans[k->span_count++] = (Span){k->rank[from->field], from->field, from->start, end, k->labels[label]};
    return 1;
}

/* The places of what holds; whether it does. Of one word the first places of a field will do: no more are shown. */
static int collect(Kernel *k, const int32_t *node, Scope scope) {
    size_t before = k->span_count;
    switch (node[0]) {
    case WORD: case ROW: {
        int32_t rarest = node[0] == ROW ? rarest_of(k, node) : 0, field = -1, shown = 0;
        int32_t atom = node[0] == ROW ? node[3 + (rarest < 0 ? 0 : rarest)] : node[1];
        if (rarest < 0 || !is_met(k, atom)) return 0;
        int32_t at = k->atoms[atom].first, word[4] = {WORD, 1, 0, atom};
        const int32_t *row = node[0] == ROW ? node : word;
        for (int32_t first; (first = next_row(k, row, scope, rarest, &at)) >= 0;) {
            shown = k->words[first].field == field ? shown + 1 : 1;
            field = k->words[first].field;
            if (shown <= k->most_spans && !add_span(k, first, first + row[1] - 1, node[2])) k->failed = 1;
        }
        return k->span_count > before;
    }
    case ALL: case ANY: {
        int held = node[0] == ALL;
        const int32_t *child = node + 3;
        for (int32_t i = 0; i < node[1]; i++, child += size_of(child)) {
            int one = collect(k, child, scope);
            if (node[0] == ANY) held |= one;
            else if (!one) {
                k->span_count = before;
                return 0;
            }
        }
        return held;
    }
    case NOT: return holds(k, node + 2, scope) == NO;
    case IN: return collect(k, node + 3, narrow(k, scope, node[1], everywhere(scope)));
    default: return 0;
    }
}

static int by_place(const void *one, const void *other) {
    const int32_t *a = one, *b = other;
    for (size_t i = 0; i < sizeof(Span) / sizeof *a; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

static void put(Kernel *k, int32_t number) {
    if (!ROOM(k->out, k->out_count + 1, k->out_room)) k->failed = 1;
    else k->out[k->out_count++] = number;
}

/* A place of what matched: field, start, end, rank of the label. */
static void put_place(Kernel *k, const Span *span) {
    if (!ROOM(k->places, k->place_count + 4, k->place_room)) k->failed = 1;
    else {
        int32_t place[4] = {span->field, span->start, span->end, span->label};
        memcpy(k->places + k->place_count, place, sizeof place);
        k->place_count += 4;
    }
}

/* Puts [rule, number of its places]; -1 places: ask whoever knows the whole language. */
static void ask(Kernel *k, int32_t rule) {
    Scope scope = {DEFAULT_FIELDS, 0};
    const int32_t *node = k->code + k->starts[rule];
    int answer = holds(k, node, scope);
    if (answer == NO) return;
    put(k, rule);
    size_t count = k->out_count;
    put(k, -1);
    if (!k->pure[rule] || k->failed) return;
    k->span_count = 0;
    collect(k, node, scope);
    if (k->span_count) qsort(k->spans, k->span_count, sizeof(Span), by_place);
    int32_t shown = 0, in_field = 0;
    for (size_t i = 0; i < k->span_count; i++) {
        const Span *span = &k->spans[i];
        if (i && !by_place(span, span - 1)) continue;
        in_field = i && span->field == span[-1].field ? in_field + 1 : 1;
        if (in_field > k->most_spans) continue;
        put_place(k, span);
        shown++;
    }
    if (!k->failed) k->out[count] = shown;
}

/* The rules that may hold: of each posting of an atom that occurs [rule, number of atoms, atoms], one must occur too. */
static void find_candidates(Kernel *k) {
    k->candidate_count = 0;
    for (int32_t i = 0; i < k->always_count; i++) k->candidates[k->candidate_count++] = k->always[i];
    for (size_t i = 0; i < k->seen_count; i++) {
        const Atom *atom = &k->atoms[k->seen[i]];
        const int32_t *posting = k->postings + atom->posting, *end = posting + atom->postings;
        for (; posting < end; posting += 2 + posting[1]) {
            int32_t n = 0, rule = posting[0];
            while (n < posting[1] && !is_met(k, posting[2 + n])) n++;
            if (n == posting[1] || k->asked[rule] == k->article) continue;
            k->asked[rule] = k->article;
            k->candidates[k->candidate_count++] = rule;
            SOON(&k->starts[rule]);
        }
    }
}

static void ask_candidates(Kernel *k) {
    enum { AHEAD = 8 };
    for (int32_t i = -AHEAD; i < k->candidate_count; i++) {
        if (i + AHEAD < k->candidate_count) SOON(k->code + k->starts[k->candidates[i + AHEAD]]);
        if (i >= 0) ask(k, k->candidates[i]);
    }
}

static int spell_out(Kernel *k) {
    size_t at = 0;
    k->word_count = k->occurrence_count = 0;
    for (int32_t field = 0; field < FIELDS; field++) {
        k->first[field] = (int32_t)k->word_count;
        for (; at < k->chunk_count && k->chunks[at].field == field; at++) {
            Chunk *chunk = &k->chunks[at];
            if (chunk->data == NEW)
                chunk->data = look_up(k, chunk->hash, k->texts[field] + chunk->start, (uint32_t)chunk->size);
            int32_t words = chunk->data < 0 ? 1 : k->young.pool[chunk->data];
            if (!ROOM(k->words, k->word_count + (size_t)words, k->word_room)) return 0;
            if (chunk->data < 0) {
                k->words[k->word_count++] = (Word){field, chunk->start, chunk->start + chunk->size, NOTHING};
                continue;
            }
            int32_t data = chunk->data + 1;
            for (int32_t i = 0; i < words; i++) {
                const int32_t *word = k->young.pool + data;
                Word made = {field, chunk->start + word[0], chunk->start + word[1], data + 2};
                k->words[k->word_count++] = made;
                for (int32_t n = 0; n < word[2]; n++) SOON(&k->atoms[word[3 + n]]);
                data += 3 + word[2];
            }
        }
    }
    return !k->failed;
}

/* The places of each atom, the first one first. */
static int index_atoms(Kernel *k) {
    for (size_t word = k->word_count; word-- > 0;) {
        if (k->words[word].data < 0) continue;
        const int32_t *atoms = k->young.pool + k->words[word].data;
        if (!ROOM(k->occurrences, k->occurrence_count + (size_t)atoms[0], k->occurrence_room)) return 0;
        if (!ROOM(k->seen, k->seen_count + (size_t)atoms[0], k->seen_room)) return 0;
        for (int32_t i = 1; i <= atoms[0]; i++) {
            Atom *atom = &k->atoms[atoms[i]];
            if (!is_met(k, atoms[i])) {
                k->met[atoms[i] >> 6] |= UINT64_C(1) << (atoms[i] & 63);
                SOON(k->postings + atom->posting);
                atom->fields = 0;
                atom->first = -1;
                k->seen[k->seen_count++] = atoms[i];
            }
            atom->fields |= 1u << k->words[word].field;
            k->occurrences[k->occurrence_count] = (Occurrence){(int32_t)word, atom->first};
            atom->first = (int32_t)k->occurrence_count++;
        }
    }
    return 1;
}

/* ── what kernel.py calls ── */

#ifndef SOURCE
#define SOURCE 0 /* the CRC-32 of this file, by whoever builds it */
#endif
uint32_t rasid_source(void) { return SOURCE; }

void rasid_free(Kernel *k) {
    if (!k) return;
    drop(&k->young), drop(&k->old);
    for (int i = 0; i < FIELDS; i++) free(k->texts[i]);
    free(k->known), free(k->code), free(k->starts), free(k->labels), free(k->always), free(k->postings);
    free(k->candidates), free(k->pure), free(k->asked), free(k->atoms), free(k->met), free(k->chunks), free(k->words);
    free(k->proclitics), free(k->pronouns), free(k->forms), free(k->form_text), free(k->form_data), free(k->made);
    free(k->nothings);
    free(k->occurrences), free(k->spans), free(k->seen), free(k->out), free(k->places), free(k);
}

static int copy(void *array, const void *from, size_t count, size_t each) {
    void *made = malloc(count ? count * each : 1);
    if (!made) return 0;
    if (count) memcpy(made, from, count * each);
    free(*(void **)array);
    *(void **)array = made;
    return 1;
}

/* letters, sounds (0: none), folded: of the 256 code points from U+0600 on. margin: EDGE, HANGS, UNSEEN
 * of each code point up to MARGIN. */
Kernel *rasid_new(uint64_t seed, const uint8_t *letters, const uint8_t *sounds, const uint8_t *folded,
                  const uint8_t *margin, const int32_t *rank, int32_t lead_words, int32_t most_spans,
                  uint64_t kept) {
    Kernel *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->seed = seed, k->kept = kept, k->lead_words = lead_words, k->most_spans = most_spans;
    memcpy(k->letters, letters, 256), memcpy(k->sounds, sounds, 256), memcpy(k->folded, folded, 256);
    memcpy(k->rank, rank, sizeof k->rank);
    memcpy(k->margin, margin, MARGIN);
    k->nothings = calloc(NOTHINGS, sizeof *k->nothings);
    if (k->nothings && empty(&k->young) && empty(&k->old)) return k;
    rasid_free(k);
    return NULL;
}

/* The affixes of words; proclitics by their first letter, the article before all. */
int32_t rasid_affixes(Kernel *k, const Affix *proclitics, int32_t proclitic_count, const Affix *pronouns,
                      int32_t pronoun_count) {
    k->pronoun_count = pronoun_count;
    k->proclitics = calloc((size_t)proclitic_count, sizeof *k->proclitics);
    if (!k->proclitics || !copy(&k->pronouns, pronouns, (size_t)pronoun_count, sizeof(Affix))) return -1;
    memcpy(k->article_letters, proclitics->letters, sizeof k->article_letters);
    for (int32_t i = 0; i < proclitic_count; i++) {
        const Affix *from = &proclitics[i];
        Begins *one = &k->proclitics[i];
        one->size = from->size, one->cut = from->cut, one->way = from->way;
        memcpy(&one->letters, from->letters, AFFIX);
        memset(&one->mask, 0xff, from->size);
        for (int letter = from->letters[0] + 1; letter <= 256; letter++) k->proclitics_of[letter] = (uint8_t)(i + 1);
    }
    return 0;
}

/* Before rasid_expect: how many things will be known. always_ask: of no new word can it be said that it is nothing. */
int32_t rasid_expect_so_many(Kernel *k, uint64_t count, int32_t always_ask) {
    uint64_t words = 16;
    while (words * 2 < count) words *= 2; /* 32 bits each */
    k->known = calloc(words, sizeof *k->known);
    k->known_mask = words - 1;
    k->always_ask = always_ask;
    return k->known ? 0 : -1;
}

static void expect(Kernel *k, uint64_t hash) {
    hash ^= hash >> 32;
    *known(k, hash) |= bits(hash);
}

/* what: PREFIX … OTHER; text: many of them, each with a line feed behind it. */
void rasid_expect(Kernel *k, int32_t what, const uint32_t *text, uint64_t size) {
    uint64_t hash = begin(k, what);
    k->expected[what] |= size > 0;
    for (uint64_t i = 0; i < size; i++) {
        if (text[i] != '\n') {
            hash = step(hash, text[i] - ARABIC);
            continue;
        }
        expect(k, hash);
        hash = begin(k, what);
    }
}

/* Forms, each with a line feed behind it, and of each the number of ways in which it may be an atom, and the ways. */
int32_t rasid_forms(Kernel *k, const uint32_t *text, uint64_t size, const int32_t *data, uint64_t data_size,
                    uint64_t count) {
    uint64_t slots = 16;
    while (slots < count + count / 2) slots *= 2;
    k->form_mask = slots - 1;
    k->forms = calloc(slots, sizeof(Form));
    k->form_text = malloc(size + 1);
    if (!k->forms || !k->form_text || !copy(&k->form_data, data, data_size, 4)) return -1;
    uint64_t start = 0, hash = begin(k, FORM);
    uint32_t at = 1; /* 0 is no place */
    int other = 0;
    for (uint64_t i = 0; i < size; i++) {
        k->form_text[i] = (uint8_t)(text[i] - ARABIC);
        if (text[i] != '\n') {
            other |= text[i] - ARABIC > 255;
            hash = step(hash, text[i] - ARABIC);
            continue;
        }
        uint32_t length = (uint32_t)(i - start);
        expect(k, hash);
        if (!other) {
            uint64_t place = hash ^ hash >> 32;
            while (k->forms[place & k->form_mask].data) place++;
            k->forms[place & k->form_mask] = (Form){(uint32_t)start, length, at};
        }
        at += 1 + (uint32_t)data[at];
        start = i + 1;
        hash = begin(k, FORM);
        other = 0;
    }
    return 0;
}

/* starts: where each rule's code begins. pure: whether the code says all of the rule. labels: of each its rank. */
int32_t rasid_rules(Kernel *k, int32_t atoms, int32_t rules, const int32_t *code, uint64_t size, const int32_t *starts,
                    const uint8_t *pure, const int32_t *labels, uint64_t label_count) {
    k->atom_count = atoms, k->rules = rules;
    k->atoms = calloc((size_t)atoms + 1, sizeof(Atom));
    k->met = calloc((size_t)atoms / 64 + 1, sizeof *k->met);
    k->asked = calloc((size_t)rules + 1, sizeof *k->asked);
    k->candidates = calloc((size_t)rules + 1, sizeof *k->candidates);
    if (!k->atoms || !k->met || !k->asked || !k->candidates || !copy(&k->code, code, size, 4) || !copy(&k->labels, labels, label_count, 4)) return -1;
    return copy(&k->starts, starts, (size_t)rules, 4) && copy(&k->pure, pure, (size_t)rules, 1) ? 0 : -1;
}

/* Where each rule is looked at. first: of each atom its first posting, and the end. A posting: [rule, number of atoms,
 * atoms], one of which must occur too. always: rules that are looked at in every article, and have no posting. */
int32_t rasid_anchors(Kernel *k, const int32_t *first, const int32_t *postings, uint64_t size, const int32_t *always,
                      int32_t always_count) {
    for (int32_t atom = 0; atom < k->atom_count; atom++) {
        k->atoms[atom].posting = first[atom];
        k->atoms[atom].postings = first[atom + 1] - first[atom];
    }
    k->always_count = always_count;
    return copy(&k->always, always, (size_t)always_count, 4) && copy(&k->postings, postings, size, 4) ? 0 : -1;
}

/* Forget the last article. */
int32_t rasid_begin(Kernel *k) {
    k->chunk_count = 0;
    for (size_t i = 0; i < k->seen_count; i++) k->met[k->seen[i] >> 6] = 0;
    k->seen_count = 0;
    if (++k->article == 0) { /* once in four billion articles */
        memset(k->asked, 0, sizeof *k->asked * (size_t)k->rules);
        k->article = 1;
    }
    if (k->young.length < k->kept) return 0;
    drop(&k->old);
    k->old = k->young;
    return empty(&k->young) ? 0 : -1;
}

static uint64_t *nothing(Kernel *k, uint64_t hash) { return &k->nothings[hash >> 32 & (NOTHINGS - 1)]; }

/* What a chunk is that is in no memory: NEW where kernel.py must say it. */
static int32_t made_of(Kernel *k, const Chunk *chunk, const uint32_t *text) {
    Spelling word;
    uint32_t size = (uint32_t)chunk->size;
    int plain = spell(k, text, size, &word);
    if (plain ? is_nothing(k, &word) : is_foreign(k, text, size)) {
        *nothing(k, chunk->hash) = chunk->hash;
        return NOTHING;
    }
    if (!plain) return NEW;
    Cuts cuts = cuts_of(k, word.spelled, word.size);
    if (is_in_doubt(k, &word, cuts)) return NEW;
    if (!settle(k, &word, cuts)) k->failed = 1;
    else if (k->made[3] && may_be_refused(k, &word, cuts)) return NEW;
    else return (int32_t)remember(k, chunk->hash, text, size, k->made, k->made_count);
    return NEW;
}

static int add_chunk(Kernel *k, int32_t field, uint64_t start, uint64_t end) {
    if (!ROOM(k->chunks, k->chunk_count + 1, k->chunk_room)) return 0;
    uint64_t hash = hash_of(k, k->texts[field] + start, (uint32_t)(end - start));
    int32_t data = *nothing(k, hash) == hash ? NOTHING : NEW;
    k->chunks[k->chunk_count++] = (Chunk){hash, field, (int32_t)start, (int32_t)(end - start), data};
    if (data == NEW) SOON(&k->young.slots[hash & k->young.mask]);
    return 1;
}

/* Cut a field; fields come in ascending order. The number of chunks that kernel.py must say the words of:
 * [field, start, size] in *out. */
int32_t rasid_cut(Kernel *k, int32_t field, const uint32_t *text, uint64_t size, int32_t **out) {
    size_t first = k->chunk_count;
    k->out_count = 0;
    if (!ROOM(k->texts[field], size + 1, k->text_room[field])) return -1;
    memcpy(k->texts[field], text, size * 4);
    for (uint64_t at = 0; at < size;) {
        while (at < size && margin(k, text[at]) & (SPACE | EDGE)) at++;
        uint64_t start = at;
        for (; at < size; at++) {
            int about = margin(k, text[at]);
            if (about & SPACE || (about & EDGE && is_gap(k, text, size, at))) break;
        }
        uint64_t end = at;
        while (end > start && margin(k, text[end - 1]) & EDGE) end--;
        if (start < end && !add_chunk(k, field, start, end)) return -1;
    }
    for (size_t i = first; i < k->chunk_count; i++)
        if (k->chunks[i].data == NEW) SOON(k->young.pool + k->young.slots[k->chunks[i].hash & k->young.mask].text);
    for (size_t i = first; i < k->chunk_count; i++) {
        Chunk *chunk = &k->chunks[i];
        if (chunk->data != NEW) continue;
        const uint32_t *of = k->texts[field] + chunk->start;
        chunk->data = look_up(k, chunk->hash, of, (uint32_t)chunk->size);
        if (chunk->data == NEW) chunk->data = made_of(k, chunk, of);
        if (chunk->data == NEW) put(k, field), put(k, chunk->start), put(k, chunk->size);
    }
    *out = k->out;
    return k->failed ? -1 : (int32_t)(k->out_count / 3);
}

/* What a chunk of the article is, as a Memory holds it: so many numbers. */
int32_t rasid_learn(Kernel *k, int32_t field, int32_t start, int32_t size, const int32_t *data, uint64_t count) {
    const uint32_t *text = k->texts[field] + start;
    return remember(k, hash_of(k, text, (uint32_t)size), text, (uint32_t)size, data, count) ? 0 : -1;
}

/* What the rules say of the article, as `ask` tells it, in *out: so many numbers. Their places, one rule's behind the
 * other's, in *places. lead_field: body or summary. */
int32_t rasid_match(Kernel *k, int32_t lead_field, int32_t **out, int32_t **places) {
    k->out_count = k->place_count = 0;
    k->lead_field = lead_field;
    if (!spell_out(k) || !index_atoms(k)) return -1;
    find_candidates(k);
    ask_candidates(k);
    *out = k->out;
    *places = k->places;
    return k->failed ? -1 : (int32_t)k->out_count;
}

/* After rasid_match: the atoms that occur. */
int32_t rasid_seen(const Kernel *k, int32_t **out) {
    *out = k->seen;
    return (int32_t)k->seen_count;
}
