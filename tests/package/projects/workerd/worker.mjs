import { createSigner } from 'munchkin-shim/signer';
import module from 'munchkin-shim/munchkin_signer.wasm'; // edge runtimes compile none at run time

/** Whoever has the cookie is signed in. */
const userOf = async (request) => {
  const [, email] = /user=([^;]*)/.exec(request.headers.get('cookie')) || [];
  return email && { email };
};

let signer;

export default {
  fetch(request, env) {
    signer ??= createSigner({
      privateKey: env.MARKETO_API_PRIVATE_KEY,
      authorize: async (request, email) => (await userOf(request))?.email === email,
      module,
    });
    return signer.handle(request);
  },
};
