#!/bin/sh
# munchkin-server under valgrind, for tests that start it by MUNCHKIN_SERVER (make valgrind). What valgrind finds goes to the
# output, which tests show, and makes the process end with 99, which they take for a failure.
#
# valgrind of Debian 12 cannot read the debugging notes of the compiler's version 5, so this build has version 4.
exec valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  "$(dirname "$0")/../../build/munchkin-server-valgrind" "$@"
