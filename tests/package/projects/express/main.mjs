/**
 * A site's back end, on a port that it prints.
 *
 *     EXPRESS=express PARSERS=json,text node main.mjs
 */

const { EXPRESS, PARSERS } = process.env;
const { default: express } = await import(EXPRESS);
const app = express();

// As session middleware does it: whoever has the cookie is signed in.
app.use((request, response, next) => {
  const [, email] = /user=([^;]*)/.exec(request.headers.cookie) || [];
  if (email) request.user = { email };
  next();
});

for (const name of PARSERS.split(',').filter(Boolean)) app.use(express[name]());

import { createSigner } from 'munchkin-shim/signer';

const signer = createSigner({
  privateKey: process.env.MARKETO_API_PRIVATE_KEY,
  authorize: (request, email, { user }) => user?.email === email, // request.user, as your sign-in has set it
});

app.post('/v1/lead', signer.handleNode);

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
