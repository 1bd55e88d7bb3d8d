#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { startSimulator } from './simulator.mjs';

const HELP = `Plays Marketo on this computer: serves munchkin.js and shows what pages send to it.

  --port NUMBER            port to listen on; 0 takes a free one (8090)
  --host ADDRESS           address to listen on (127.0.0.1)
  --private-key KEY        check the signature of associateLead with this pretended Munchkin API private key
  --associate-lead MODE    honoured, or withdrawn as in Marketo's current tracker (honoured)
  --form ID                a form that there is; repeatable (1001)
  --help                   print this text
`;

/** A mistake on the command line. */
class UsageError extends Error {}

/**
 * @param {string[]} commandLine
 * @returns {{help: boolean, options: import('./simulator.mjs').SimulatorOptions}}
 */
function parseCommandLine(commandLine) {
  const { values } = parse(commandLine);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65535) {
    throw new UsageError(`--port must be a number from 0 to 65535, not "${values.port}".`);
  }
  const associateLead = values['associate-lead'];
  if (associateLead !== 'honoured' && associateLead !== 'withdrawn') {
    throw new UsageError(`--associate-lead must be "honoured" or "withdrawn", not "${associateLead}".`);
  }
  const privateKey = values['private-key'];
  if (privateKey === '') throw new UsageError('--private-key must not be empty.');
  if (values.host === '') throw new UsageError('--host must not be empty.');
  const forms = values.form;
  for (const id of forms) {
    if (!/^\d+$/.test(id)) throw new UsageError(`--form must be a number, not "${id}".`);
  }
  return { help: values.help, options: { port, host: values.host, privateKey, associateLead, forms } };
}

/** @param {string[]} commandLine */
function parse(commandLine) {
  try {
    return parseArgs({
      args: commandLine,
      options: {
        port: { type: 'string', default: '8090' },
        host: { type: 'string', default: '127.0.0.1' },
        'private-key': { type: 'string' },
        'associate-lead': { type: 'string', default: 'honoured' },
        form: { type: 'string', multiple: true, default: ['1001'] },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main() {
  const { help, options } = parseCommandLine(process.argv.slice(2));
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const simulator = await startSimulator(options);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => simulator.close());
  console.log(`Marketo simulator listening on ${simulator.url}`);
}

main().catch((error) => {
  const isUsage = error instanceof UsageError;
  console.error(`marketo-simulator: ${error.message}${isUsage ? ' Try --help.' : ''}`);
  process.exitCode = isUsage ? 2 : 1;
});
