# munchkin-shim. `make help` lists what there is.

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

ifeq ($(origin CC),default)
CC := clang
endif
EMCC ?= NODE_PATH=/usr/share/nodejs emcc
BIN := node_modules/.bin

CJSON := build/deps/cjson
BEARSSL := build/deps/bearssl

WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow
INCLUDES := -isystem $(CJSON) -isystem $(BEARSSL)/inc
# Asked of the shell, each time: the package may not be there yet when this is read.
XML_INCLUDES := `xml2-config --cflags | sed 's/-I/-isystem /'`
VERSION := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
NATIVE_FLAGS := -std=c11 -D_GNU_SOURCE -DMS_VERSION='"$(VERSION)"' -MMD -MP $(INCLUDES) $(XML_INCLUDES)
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

CORE := $(wildcard src/core/*.c)
SERVER := $(wildcard src/server/*.c src/server/*/*.c)
# What signs. Browsers have no use for it, and are not given it.
SIGNING := src/core/sign.c src/core/fingerprint.c src/core/hash_request.c
BEARSSL_FILES := hash/sha1 hash/sha2small mac/hmac codec/dec32be codec/enc32be
CJSON_FLAGS := -DMS_COMPILING_CJSON -include src/core/cjson_config.h
GLUE := $(wildcard js-glue/*.js js-glue/adapters/*.js js-glue/build/*) package.json

.PHONY: help deps build pack install demo test fuzz coverage valgrind lint bench soak audit sbom clean started
.PHONY: packages-build packages-test packages-coverage packages-lint packages-valgrind packages-bench packages-audit newest

help: ## this list
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

# ---- what must be there first -------------------------------------------------------------------

deps: packages-build packages-test packages-lint build/deps/.fetched node_modules/.installed ## installs and fetches all that is missing

packages-build:
	@src/deps.sh packages clang emscripten libmicrohttpd-dev libcurl4-openssl-dev libsqlite3-dev libxml2-dev zlib1g-dev dpkg-dev ca-certificates

packages-test: packages-build
	@src/deps.sh packages libclang-rt-14-dev libcmocka-dev libjwt-dev chromium fonts-liberation \
		python3-jwt ruby ruby-jwt php-cli

packages-coverage: packages-test
	@src/deps.sh packages gcc gcovr

packages-lint: packages-test
	@src/deps.sh packages clang-format clang-tidy

packages-audit: packages-build
	@src/deps.sh packages binutils debsecan faketime

packages-valgrind: packages-test
	@src/deps.sh packages valgrind

packages-bench: packages-test
	@src/deps.sh packages wrk

build/deps/nginx/usr/sbin/nginx: | packages-build
	@src/deps.sh unpacked build/deps/nginx nginx

# Folders with npm packages of their own: what tests and benchmarks need beside the build.
TEST_FOLDERS := tests/package tests/adapters tests/server
NPM_FOLDERS := $(TEST_FOLDERS) tests/bench/peers
$(NPM_FOLDERS:%=%/node_modules/.installed): %/node_modules/.installed: %/package-lock.json | node_modules/.installed
	@echo "Installing the npm packages of $*"
	@npm ci --prefix $* --no-audit --no-fund --loglevel=error || \
		{ echo "That did not work (offline?). Once the machine is on line, run by hand: npm ci --prefix $*" >&2; exit 1; }
	@touch $@

build/deps/.fetched: src/deps.sh | packages-build
	@src/deps.sh sources build/deps
	@touch $@

node_modules/.installed: package-lock.json
	@echo "Installing the npm packages that the build and the tests need"
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || \
		{ echo "Node.js 20 or later is needed; here is: $$(node --version 2>&1)" >&2; exit 1; }
	@npm ci --no-audit --no-fund --loglevel=error || \
		{ echo "That did not work (offline?). Once the machine is on line, run by hand: npm ci" >&2; exit 1; }
	@touch $@

# ---- WebAssembly, and the same as JavaScript ----------------------------------------------------

# Structures are passed in registers and returned so too, within the module: a tenth of its size.
WASM_FLAGS := -Oz -flto -std=c11 -mbulk-memory -mnontrapping-fptoint -msign-ext -fno-builtin-strchr -fvisibility=hidden \
	-DNDEBUG -MMD -MP $(INCLUDES) -Xclang -target-abi -Xclang experimental-mv
WASM_LINK := -Oz -flto --no-entry -sSTANDALONE_WASM=1 -sTOTAL_STACK=32768 -sINITIAL_MEMORY=196608 \
	-sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=6291456 -sFILESYSTEM=0 -sERROR_ON_UNDEFINED_SYMBOLS=0
WASM_FEATURES := --enable-bulk-memory --enable-nontrapping-float-to-int --enable-mutable-globals --enable-sign-ext

# The two modules, by their objects: src/wasm/shim.c for browsers, src/wasm/signer.c for servers.
WASM_COMMON := $(patsubst src/%.c,%.o,$(filter-out $(SIGNING),$(CORE))) wasm/host.o wasm/libc.o cjson.o
# Those of the first linked in an order found by trial, as are the passes below: what counts is the size in brotli.
WASM_ORDER := core/value.o core/arena.o wasm/libc.o core/call.o core/list.o core/warnings.o core/json.o core/lead.o \
	core/params.o core/fields.o core/traits.o core/utf8.o core/hex.o core/url.o core/slice.o core/email.o core/visit.o \
	wasm/host.o cjson.o core/status.o wasm/shim.o
WASM_shim := $(WASM_ORDER) $(filter-out $(WASM_ORDER),$(WASM_COMMON) wasm/shim.o)
WASM_signer := $(sort $(WASM_COMMON) wasm/signer.o $(SIGNING:src/%.c=%.o) $(BEARSSL_FILES:%=bearssl/%.o))

# $(1): folder, $(2): more flags
define wasm_rules
build/$(1)/%.o: src/%.c build/deps/.fetched Makefile
	@mkdir -p $$(@D) && echo "  EMCC $$<" && $(EMCC) $(WASM_FLAGS) $(2) $(WARNINGS) -c $$< -o $$@
build/$(1)/bearssl/%.o: build/deps/.fetched Makefile
	@mkdir -p $$(@D) && echo "  EMCC bearssl/$$*.c" && \
		$(EMCC) $(WASM_FLAGS) $(2) -w -I$(BEARSSL)/src -c $(BEARSSL)/src/$$*.c -o $$@
build/$(1)/cjson.o: src/core/cjson_config.h build/deps/.fetched Makefile
	@mkdir -p $$(@D) && echo "  EMCC cjson/cJSON.c" && \
		$(EMCC) $(WASM_FLAGS) $(2) -w $(CJSON_FLAGS) -c $(CJSON)/cJSON.c -o $$@
-include $(patsubst %.o,build/$(1)/%.d,$(WASM_shim) $(WASM_signer))
endef

# $(1): folder, $(2): module
define wasm_module
build/$(1)/$(2).linked.wasm: $(WASM_$(2):%=build/$(1)/%)
	@echo "  LINK $$@" && $(EMCC) $(WASM_LINK) $$^ -o $$@ 2>&1 | \
		grep -vE 'undefined symbol: (format|parse|date) |warning: (Link|To disable|_[a-z]+ may need)|__math_invalidl|defined as .* lto.tmp' || true
	@test -s $$@
build/$(1)/$(2).wasm: build/$(1)/$(2).linked.wasm src/wasm/$(2).json node_modules/.installed
	@$(BIN)/wasm-metadce $(WASM_FEATURES) --enable-multivalue -f src/wasm/$(2).json $$< -o $$@ >/dev/null
endef

$(eval $(call wasm_rules,wasm,-mmultivalue))
# wasm2js knows no functions with several results.
$(eval $(call wasm_rules,wasm-for-js,))
$(eval $(call wasm_module,wasm,shim))
$(eval $(call wasm_module,wasm,signer))
$(eval $(call wasm_module,wasm-for-js,shim))

# Passes and their order found by trial: what counts is the size in brotli of munchkin-shim.js, the module in it.
build/munchkin_%.wasm: build/wasm/%.wasm
	@echo "  WASM-OPT $@" && $(BIN)/wasm-opt -O2 --reorder-functions --dealign --flatten --rereloop --merge-blocks -O4 -O3 -O4 \
		--zero-filled-memory $(WASM_FEATURES) --enable-multivalue --strip-debug --strip-producers --strip-target-features $< -o $@

build/munchkin_shim.asm.mjs: build/wasm-for-js/shim.wasm
	@echo "  WASM2JS $@" && $(BIN)/wasm-opt -Oz $(WASM_FEATURES) --strip-debug --strip-producers $< -o $(<:.wasm=.small.wasm) && \
		$(BIN)/wasm2js -Oz $(WASM_FEATURES) $(<:.wasm=.small.wasm) -o $@

# ---- dist/ --------------------------------------------------------------------------------------

build/generated/.written: build/munchkin_shim.wasm build/munchkin_signer.wasm src/core/status.h $(wildcard js-glue/build/*.mjs)
	@node js-glue/build/generate.mjs build/munchkin_shim.wasm build/munchkin_signer.wasm build/generated && touch $@

dist/.bundled: build/generated/.written build/munchkin_shim.wasm build/munchkin_shim.asm.mjs $(GLUE) node_modules/.installed
	@echo "Bundling dist/"
	@rm -rf dist
	@node js-glue/build/bundle.mjs build/munchkin_shim.wasm build/munchkin_shim.asm.mjs
	@cp build/munchkin_signer.wasm dist/
	@$(BIN)/tsc -p js-glue/build/types.json
	@cp -r dist/types dist/types-cjs && echo '{"type":"commonjs"}' >dist/types-cjs/package.json
	@node js-glue/build/licenses.mjs $(CJSON) $(BEARSSL)
	@node js-glue/build/integrity.mjs
	@touch $@

build/generated/assets.c: dist/.bundled src/server/embed.mjs
	@echo "  EMBED dist/ in munchkin-server" && node src/server/embed.mjs dist $@

# ---- native -------------------------------------------------------------------------------------

LIBRARIES := -lmicrohttpd -lcurl -lsqlite3 -lxml2 -lz -lpthread -lm
CORE_OBJECTS := $(CORE:src/%.c=%.o) $(BEARSSL_FILES:%=bearssl/%.o) cjson.o
# The server's answers to what core asks of its host.
HOST_OBJECTS := server/number.o server/date.o
SERVER_OBJECTS := $(SERVER:src/%.c=%.o) assets.o
# What several unit tests share.
TESTED_WITH := vectors queue known_leads model model_merges
TESTS := $(patsubst tests/unit/%_test.c,build/%-test,$(wildcard tests/unit/*_test.c))

# $(1): folder, $(2): compiler and its flags
define native_rules
build/$(1)/%.o: src/%.c build/deps/.fetched Makefile
	@mkdir -p $$(@D) && echo "  CC $$<" && $(2) $(NATIVE_FLAGS) $(WARNINGS) -c $$< -o $$@
build/$(1)/tests/%.o: tests/%.c build/deps/.fetched Makefile | packages-test
	@mkdir -p $$(@D) && echo "  CC $$<" && $(2) $(NATIVE_FLAGS) $(WARNINGS) -c $$< -o $$@
# Called before a sanitizer is ready.
build/$(1)/tests/faults/%.o: tests/faults/%.c Makefile
	@mkdir -p $$(@D) && echo "  CC $$<" && $(2) $(NATIVE_FLAGS) -fno-sanitize=all $(WARNINGS) -c $$< -o $$@
build/$(1)/bearssl/%.o: build/deps/.fetched Makefile
	@mkdir -p $$(@D) && $(2) $(NATIVE_FLAGS) -w -I$(BEARSSL)/src -c $(BEARSSL)/src/$$*.c -o $$@
# cJSON notes its last error in a variable of all threads; nobody reads it.
build/$(1)/cjson.o: src/core/cjson_config.h build/deps/.fetched Makefile
	@mkdir -p $$(@D) && sed 's/^static error global_error/static _Thread_local error global_error/' $(CJSON)/cJSON.c | \
		$(2) $(NATIVE_FLAGS) -w $(CJSON_FLAGS) -I$(CJSON) -x c -c - -o $$@
build/$(1)/assets.o: build/generated/assets.c
	@mkdir -p $$(@D) && $(2) $(NATIVE_FLAGS) -Isrc/server -c $$< -o $$@
-include $(patsubst %.o,build/$(1)/%.d,$(CORE_OBJECTS) $(SERVER_OBJECTS)) $(wildcard build/$(1)/tests/*/*.d build/$(1)/tests/*/*/*.d)
endef

# The server, and what tests it natively. $(1): folder, $(2): compiler and its flags, $(3): where the tests go,
# $(4): the server
define tested_rules
$(4): $(patsubst %,build/$(1)/%,$(CORE_OBJECTS) $(SERVER_OBJECTS))
	@echo "  LINK $$@" && $(2) $$^ $$(LIBRARIES) -o $$@
# The server as a library: a test takes of it what it calls, and what it defines itself it does not take.
build/$(1)/server.a: $(patsubst %,build/$(1)/%,$(filter-out server/main.o,$(SERVER_OBJECTS)))
	@rm -f $$@ && ar rcs $$@ $$^
build/$(1)/tests.a: $(TESTED_WITH:%=build/$(1)/tests/unit/%.o)
	@rm -f $$@ && ar rcs $$@ $$^
$(3)/%-test: build/$(1)/tests/unit/%_test.o build/$(1)/tests.a $(patsubst %,build/$(1)/%,$(CORE_OBJECTS)) build/$(1)/server.a
	@echo "  LINK $$@" && $(2) $$^ -lcmocka $$(LIBRARIES) -o $$@
# What tests/faults/faults.c defines stands before the C library's, for the libraries too.
$(3)/%_faults-test: build/$(1)/tests/unit/%_faults_test.o build/$(1)/tests/faults/faults.o build/$(1)/tests.a \
		$(patsubst %,build/$(1)/%,$(CORE_OBJECTS)) build/$(1)/server.a
	@echo "  LINK $$@" && $(2) $$^ -lcmocka $$(LIBRARIES) -ldl -o $$@
$(3)/munchkin-server-faulty: $(patsubst %,build/$(1)/%,$(CORE_OBJECTS) $(SERVER_OBJECTS)) build/$(1)/tests/faults/faults.o
	@echo "  LINK $$@" && $(2) $$^ $$(LIBRARIES) -ldl -o $$@
$(3)/queue-driver: build/$(1)/tests/server/queue_driver.o $(patsubst %,build/$(1)/%,$(CORE_OBJECTS)) build/$(1)/server.a
	@echo "  LINK $$@" && $(2) $$^ $$(LIBRARIES) -o $$@
endef

SANITIZED := $(CC) -O1 -g $(SANITIZERS)
# gcc counts, since Debian's gcovr reads what it writes. Unoptimised, so that a branch is one of the source's. The other
# builds warn.
COUNTED := gcc -w -O0 -g --coverage -fprofile-update=atomic -fprofile-abs-path
$(eval $(call native_rules,native,$(CC) -O2 -g $(HARDENING)))
$(eval $(call native_rules,sanitized,$(SANITIZED)))
$(eval $(call native_rules,fuzzed,$(SANITIZED) -fsanitize=fuzzer-no-link))
$(eval $(call native_rules,valgrind,$(CC) -O1 -gdwarf-4))
$(eval $(call native_rules,coverage,$(COUNTED)))
$(eval $(call tested_rules,sanitized,$(SANITIZED),build,build/munchkin-server-sanitized))
$(eval $(call tested_rules,coverage,$(COUNTED),build/coverage,build/coverage/munchkin-server))

build/munchkin-server: $(patsubst %,build/native/%,$(CORE_OBJECTS) $(SERVER_OBJECTS))
	@echo "  LINK $@" && $(CC) -pie -Wl,-z,relro,-z,now $^ $(LIBRARIES) -o $@

build/munchkin-server-valgrind: $(patsubst %,build/valgrind/%,$(CORE_OBJECTS) $(SERVER_OBJECTS))
	@echo "  LINK $@" && $(CC) $^ $(LIBRARIES) -o $@

# The library that tokens are not read with; see there.
build/token_libjwt-test build/coverage/token_libjwt-test: LIBRARIES += -ljwt

# What fuzz targets share; and the server as a library here too, without the files that it serves.
FUZZED_WITH := fuzz/commands fuzz/connection fuzz/fuzz fuzz/standards unit/vectors
build/fuzzed/library.a: $(patsubst %,build/fuzzed/%,$(CORE_OBJECTS) $(filter-out server/main.o assets.o,$(SERVER_OBJECTS)) $(FUZZED_WITH:%=tests/%.o))
	@rm -f $@ && ar rcs $@ $^

build/fuzz/%: build/fuzzed/tests/fuzz/targets/%.o build/fuzzed/library.a
	@mkdir -p $(@D) && echo "  LINK $@" && $(CC) $(SANITIZERS) -fsanitize=fuzzer $^ $(LIBRARIES) -o $@

build/fuzz-calls: build/sanitized/tests/fuzz/native_calls.o $(patsubst %,build/sanitized/%,$(CORE_OBJECTS) $(HOST_OBJECTS))
	@echo "  LINK $@" && $(CC) $(SANITIZERS) $^ -lm -o $@

build/bench-calls: build/native/tests/bench/calls.o $(patsubst %,build/native/%,$(CORE_OBJECTS) $(HOST_OBJECTS))
	@echo "  LINK $@" && $(CC) -pie $^ -lm -o $@

build/bench-fdatasync: build/native/tests/bench/fdatasync.o
	@echo "  LINK $@" && $(CC) -pie $^ -o $@

build/bench-slow-disk.so: tests/bench/slow_disk.c Makefile
	@mkdir -p $(@D) && echo "  LINK $@" && $(CC) $(NATIVE_FLAGS) -O2 -fPIC -shared $(WARNINGS) $< -o $@ -ldl

# ---- what a person runs -------------------------------------------------------------------------

started:
	@mkdir -p build && date +%s >build/.started

build: started packages-build dist/.bundled build/munchkin-server ## dist/ and build/munchkin-server
	@echo "Built dist/ and build/munchkin-server in $$(($$(date +%s) - $$(cat build/.started))) s"

pack: build ## build/munchkin-shim-<version>.tgz, the npm package
	@node js-glue/build/pack.mjs build

PREFIX ?= /usr/local

install: build ## munchkin-server and its systemd unit (PREFIX=/usr/local, DESTDIR=)
	@install -D -m 755 build/munchkin-server $(DESTDIR)$(PREFIX)/bin/munchkin-server
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/systemd/system
	@sed 's|@PREFIX@|$(PREFIX)|' src/server/munchkin-server.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/munchkin-server.service
	@echo "Installed $(DESTDIR)$(PREFIX)/bin/munchkin-server and its systemd unit"

demo: build ## a small shop that tracks its visitors, and what Marketo gets to see (PORT=8080)
	@node web/demo.mjs

FUZZ := $(patsubst tests/fuzz/targets/%.c,build/fuzz/%,$(wildcard tests/fuzz/targets/*.c)) build/fuzz-calls
TIME ?= 30

test: packages-test build $(TESTS) $(FUZZ) build/munchkin-server-sanitized build/munchkin-server-faulty build/queue-driver $(TEST_FOLDERS:%=%/node_modules/.installed) ## all tests, in Node.js, natively and in Chromium
	@node tests/run.mjs

fuzz: packages-test build $(FUZZ) ## tries to break what reads strangers' bytes (TIME=30, seconds for each target; SEED= repeats a run)
	@SEED=$(SEED) node tests/fuzz/main.mjs $(TIME)

COUNTING := $(TESTS:build/%=build/coverage/%) build/coverage/munchkin-server build/coverage/munchkin-server-faulty \
	build/coverage/queue-driver

coverage: packages-coverage build $(COUNTING) tests/server/node_modules/.installed ## which lines and branches of the C the tests run; fails below the goals
	@node tests/coverage.mjs build/coverage

BENCH := build/bench-calls build/bench-fdatasync build/bench-slow-disk.so

bench: packages-bench build $(BENCH) build/deps/nginx/usr/sbin/nginx tests/bench/peers/node_modules/.installed ## measures sizes, pages, calls, server and queue beside others, and soaks (25 min)
	@node tests/bench/main.mjs

# TIME counts only where it is given: what other targets take without is not for this one.
soak: build build/bench-fdatasync ## loads, kills and troubles the server for TIME=60 s; fails if anything acknowledged is lost
	@node tests/bench/soak_main.mjs $(if $(filter command environment,$(firstword $(origin TIME))),$(TIME),60)

# Found out from the program, so it has to be there.
newest: build packages-audit
	@src/deps.sh newest $$(node tests/audit/names.mjs build/munchkin-server)

sbom: build packages-audit ## build/sbom.cdx.json: what is compiled in, linked with, and built with
	@node tests/audit/sbom.mjs build/munchkin-server build/deps build/sbom.cdx.json

audit: newest ## known holes in what this is made of, and whether dist/ can be built again byte by byte (STRICT=1)
	@$(MAKE) --no-print-directory sbom
	@node tests/audit/main.mjs $(if $(STRICT),--strict)
	@node --test --test-reporter=spec tests/audit/*.test.mjs

valgrind: packages-valgrind build build/munchkin-server-valgrind build/munchkin-server-faulty build/queue-driver $(TEST_FOLDERS:%=%/node_modules/.installed) ## the server's tests once more, under valgrind (15 min)
	@TEST_TIMEOUT_MS=1800000 SERVERS_AT_ONCE=2 MUNCHKIN_SERVER=$(CURDIR)/tests/server/under_valgrind.sh node tests/run.mjs tests/server/

lint: packages-lint build $(TEST_FOLDERS:%=%/node_modules/.installed) ## clang-format, clang-tidy, eslint, tsc
	@echo "clang-format" && clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	@echo "clang-tidy" && printf '%s\n' $(CORE) $(SERVER) $(wildcard tests/unit/*.c tests/fuzz/*.c tests/fuzz/targets/*.c) | \
		xargs -P "$$(nproc)" -I{} clang-tidy --quiet {} -- $(NATIVE_FLAGS) $(WARNINGS) 2>/dev/null
	@echo "eslint" && $(BIN)/eslint .
	@echo "tsc" && $(BIN)/tsc -p tsconfig.json

clean: ## removes all that was built or fetched
	rm -rf build dist node_modules $(NPM_FOLDERS:%=%/node_modules)
