import { createCore } from 'munchkin-shim/core';
import wasmUrl from 'munchkin-shim/munchkin_shim.wasm?url';

const module = await WebAssembly.compileStreaming(fetch(wasmUrl));

document.body.textContent = JSON.stringify(createCore({ module }).track({ event: 'Signed up' }));
