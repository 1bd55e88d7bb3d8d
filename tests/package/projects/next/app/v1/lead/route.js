import { userOf } from './users.js';
import { createSigner } from 'munchkin-shim/signer';

let signer;

export function POST(request) {
  // At the first request: `next build` imports this too, where there is no key.
  signer ??= createSigner({
    privateKey: process.env.MARKETO_API_PRIVATE_KEY,
    authorize: async (request, email) => (await userOf(request))?.email === email,
  });
  return signer.handle(request);
}
