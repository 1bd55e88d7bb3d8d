import { userOf } from './users.mjs';
import { createSigner } from 'munchkin-shim/signer';
import module from 'munchkin-shim/munchkin_signer.wasm';

let signer;

export default {
  fetch(request, env) {
    signer ??= createSigner({
      privateKey: env.MARKETO_API_PRIVATE_KEY,
      authorize: async (request, email) => (await userOf(request))?.email === email,
      module, // edge runtimes compile none at run time
    });
    return signer.handle(request);
  },
};
