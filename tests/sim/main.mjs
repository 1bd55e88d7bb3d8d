#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { DATA_TYPES } from './fields.mjs';
import { startSimulator } from './simulator.mjs';

const HELP = `Plays Marketo on this computer: serves munchkin.js, answers as its APIs do, and shows what it was sent.

  --port NUMBER            port to listen on; 0 takes a free one (8090)
  --host ADDRESS           address to listen on (127.0.0.1)
  --private-key KEY        check the signature of associateLead with this pretended Munchkin API private key
  --associate-lead MODE    honoured, or withdrawn as in Marketo's current tracker (honoured)
  --form ID                a form that there is; repeatable (1001)
  --rest-client ID:SECRET  who may use the REST API; pretended, like all secrets here
  --soap-user ID:KEY       who may use the SOAP API, and the encryption key that signs its calls
  --field NAME:TYPE        a field that leads have beside the standard ones, by its REST name, such as plan:string;
                           with :readonly behind it nobody can write it; repeatable
  --daily-quota NUMBER     calls of REST that are answered in a day (50000)
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
  const restClient = parseSecret('--rest-client', values['rest-client']);
  const soapUser = parseSecret('--soap-user', values['soap-user']);
  const quota = values['daily-quota'];
  if (quota !== undefined && !/^\d{1,15}$/.test(quota)) throw new UsageError(`--daily-quota must be a number, not "${quota}".`);
  return {
    help: values.help,
    options: {
      port,
      host: values.host,
      privateKey,
      associateLead,
      forms,
      restClient: restClient && { id: restClient.id, secret: restClient.secret },
      restLimits: quota === undefined ? {} : { daily: Number(quota) },
      soapUser: soapUser && { id: soapUser.id, key: soapUser.secret },
      fields: values.field.map(parseField),
    },
  };
}

/**
 * @param {string} flag
 * @param {string | undefined} text
 */
function parseSecret(flag, text) {
  if (text === undefined) return undefined;
  const [, id, secret] = /^([^:]+):(.+)$/.exec(text) ?? [];
  // The text may be a secret that was meant for another flag.
  if (id === undefined) throw new UsageError(`${flag} must be two texts with a colon between them.`);
  return { id, secret };
}

/**
 * @param {string} text
 * @returns {import('./fields.mjs').FieldOptions}
 */
function parseField(text) {
  const [, name, dataType, readOnly] = /^([A-Za-z]\w*):(\w+)(:readonly)?$/.exec(text) ?? [];
  if (!DATA_TYPES.includes(dataType)) {
    throw new UsageError(`--field must be a name and a type, one of ${DATA_TYPES.join(', ')}, not "${text}".`);
  }
  return { name, dataType, readOnly: readOnly !== undefined };
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
        'rest-client': { type: 'string' },
        'soap-user': { type: 'string' },
        field: { type: 'string', multiple: true, default: [] },
        'daily-quota': { type: 'string' },
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
