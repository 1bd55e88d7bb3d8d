#include "cli.h"

#include "../clock.h"
#include "../usage.h"
#include "print.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define WRONG 2

typedef struct {
    const char *db;
    bool as_json;
    bool wants_help;
    char **words;
    int count;
} question;

/* How many arguments the option takes up that a command may have at `place`; 0 if there is none. */
static int
option_len(int argc, char **argv, int place)
{
    if (strcmp(argv[place], "--json") == 0 || strncmp(argv[place], "--db=", 5) == 0) {
        return 1;
    }
    return strcmp(argv[place], "--db") == 0 && place + 1 < argc ? 2 : 0;
}

bool
ms_cli_is_asked(int argc, char **argv)
{
    int place = 1;
    int len = 0;
    while (place < argc && (len = option_len(argc, argv, place)) > 0) {
        place += len;
    }
    return place < argc && argv[place][0] != '-';
}

static bool
read_question(int argc, char **argv, question *asked)
{
    static const struct option known[] = {{"db", required_argument, NULL, 'd'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *asked = (question){.db = MS_DEFAULT_DB};
    int found = 0;
    if (!ms_options_are_known(argc, argv, known)) {
        return false;
    }
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (found == 'd') {
            asked->db = optarg;
        } else if (found == 'j') {
            asked->as_json = true;
        } else if (found == 'h') {
            asked->wants_help = true;
        } else {
            return false;
        }
    }
    asked->words = argv + optind;
    asked->count = argc - optind;
    return true;
}

static bool
is_word(const question *asked, int place, const char *word)
{
    return asked->count > place && strcmp(asked->words[place], word) == 0;
}

/* Has `dead` as many words as it takes? */
static bool
is_dead(const question *asked)
{
    if (!is_word(asked, 0, "dead")) {
        return false;
    }
    if (is_word(asked, 1, "list")) {
        return asked->count == 2;
    }
    return asked->count == 3 &&
           (is_word(asked, 1, "show") || is_word(asked, 1, "retry") || is_word(asked, 1, "drop"));
}

static void
tell_wrong_words(const question *asked)
{
    if (is_word(asked, 0, "status")) {
        (void)fputs("munchkin-server: status takes nothing more.\n", stderr);
    } else if (is_word(asked, 0, "dead")) {
        (void)fputs("munchkin-server: dead takes list alone, or one of show, retry and drop with "
                    "one ID.\n",
                    stderr);
    } else {
        (void)fputs("munchkin-server: there is no such command; see --help.\n", stderr);
    }
}

static int
asked_wrongly(void)
{
    (void)fputs("There are: status, dead list, dead show ID, dead retry ID|all, dead drop ID|all, "
                "each with --db PATH and --json. An ID is a number that dead list tells.\n",
                stderr);
    return WRONG;
}

int
ms_cli_run(int argc, char **argv)
{
    question asked;
    if (!read_question(argc, argv, &asked)) {
        return asked_wrongly();
    }
    if (asked.wants_help) {
        (void)fputs(ms_usage, stdout);
        return ms_print_end(0);
    }
    bool status = is_word(&asked, 0, "status") && asked.count == 1;
    if (!status && !is_dead(&asked)) {
        tell_wrong_words(&asked);
        return asked_wrongly();
    }
    if (!ms_clock_start()) {
        return WRONG;
    }
    const char *problem = NULL;
    ms_store *store = ms_store_attach(asked.db, &(ms_store_rules){0}, &problem);
    if (store == NULL) {
        (void)fprintf(stderr, "munchkin-server: %s: %s\n", asked.db, problem);
        return 1;
    }
    int code = status ? ms_cli_status(store, asked.as_json)
                      : ms_cli_dead(store, asked.words + 1, asked.as_json);
    ms_store_close(store);
    return ms_print_end(code);
}
