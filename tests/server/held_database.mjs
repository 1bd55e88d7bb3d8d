/** A database that somebody else writes to, for as long as a test likes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Keeps everybody else from writing into the database, until it is told to let go: the queue, or what is accepted for it,
 * which is beside it with -accepted behind its name.
 * @param {string} db
 */
export async function holdDatabase(db) {
  const program = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
db.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()
db.execute('ROLLBACK')
`;
  const child = spawn('python3', ['-c', program, db], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end();
    await once(child, 'close');
  };
}
