/*
 * What is said of a database that cannot be opened, whichever of its two files it is: what is
 * wrong, and what to do.
 */
#ifndef MS_PROBLEMS_H
#define MS_PROBLEMS_H

static const char no_memory[] = "There is not enough memory to open the database.";
static const char no_thread[] =
    "There is not enough memory, or no file or thread left, for the database.";
static const char no_path[] = "No path to the database is given.";
static const char too_long[] = "The path to the database is too long.";
static const char missing[] =
    "There is no database at this path; the server makes it at its start. "
    "Is --db the same as the server's?";
static const char empty[] =
    "The file is empty; the server makes it a database at its start. Is --db "
    "the same as the server's?";
static const char in_use[] = "Another munchkin-server uses this database; each needs a database of "
                             "its own, by --db.";
static const char no_access[] = "The database cannot be opened for reading and writing: its folder "
                                "must exist, and that and all files of the database's name must be "
                                "writable for this user.";
static const char unreadable[] = "The disk failed to read or write the database, or is full; the "
                                 "system's log may tell more. Nothing is known to be damaged.";
static const char dangling[] = "The path to the database is a symbolic link to a file that is not "
                               "there; make it lead to the database, or give another path by --db.";
static const char linked[] =
    "The database, or its file of accepted requests, has several names (hard links, or a symbolic "
    "link in place of the latter), and SQLite would lose what is written by one of them under "
    "another; leave it one, as a copy by cp has. The folder may be a symbolic link.";
static const char newer[] = "The database was made by a newer munchkin-server; start that one, or "
                            "one newer still.";
static const char older[] = "The database was made by an older munchkin-server; start this one's "
                            "server once, which brings it up to date.";
static const char not_made[] = "The database could not be made or brought up to date: is the disk "
                               "full? It was left as it was.";

#endif
