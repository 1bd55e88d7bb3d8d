import { connection } from 'next/server';
import { Tracking } from './tracking.jsx';

export default async function Layout({ children }) {
  // Read at each request, so that one build serves every deployment.
  await connection();
  const { MUNCHKIN_ID, MUNCHKIN_SERVER, MUNCHKIN_URL } = process.env;
  return (
    <html lang="en">
      <head>
        <link rel="icon" href="data:," />
      </head>
      <body>
        {children}
        <Tracking munchkinId={MUNCHKIN_ID} server={MUNCHKIN_SERVER} munchkinUrl={MUNCHKIN_URL} />
      </body>
    </html>
  );
}
