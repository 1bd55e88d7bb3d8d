/** make install, and the systemd unit: they name what there is. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderFor } from './intake.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('make install puts the program and its unit where they are asked for', (t) => {
  const folder = folderFor(t);
  execFileSync('make', ['install', `DESTDIR=${folder}`, 'PREFIX=/opt/munchkin'], { cwd: root, stdio: 'pipe' });
  const program = join(folder, 'opt/munchkin/bin/munchkin-server');
  assert.equal(statSync(program).mode & 0o777, 0o755);
  assert.match(execFileSync(program, ['--version'], { encoding: 'utf8' }), /^munchkin-server \d/);

  const unit = readFileSync(join(folder, 'opt/munchkin/lib/systemd/system/munchkin-server.service'), 'utf8');
  const [, path, flags] = /^ExecStart=(\S+) (.*)$/m.exec(unit) || [];
  assert.equal(path, '/opt/munchkin/bin/munchkin-server');
  assert.ok(existsSync(join(folder, path)));
  const help = execFileSync(program, ['--help'], { encoding: 'utf8' });
  for (const flag of flags.match(/--[a-z-]+/g) || []) assert.ok(help.includes(`${flag} `), flag);
});

test('what README removes is all that make install and running it leave, and nothing else', (t) => {
  const folder = folderFor(t);
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, commands] = /\*\*Uninstall\.\*\*[^]*?```sh\n([^]*?)```/.exec(readme) ?? [];
  const removals = String(commands).split('\n').map((line) => line.trim()).filter((line) => line.startsWith('rm '));
  assert.equal(removals.length, 2, commands);
  execFileSync('make', ['install', `DESTDIR=${folder}`], { cwd: root, stdio: 'pipe' });
  const kept = ['usr/local/bin/other', 'usr/local/lib/systemd/system/other.service', 'etc/other', 'var/lib/private/other'];
  const left = ['etc/munchkin-server.env', 'etc/munchkin-server.write-keys', 'etc/systemd/system/munchkin-server.service.d/keys.conf', 'var/lib/private/munchkin-server/munchkin.db'];
  for (const path of [...kept, ...left]) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), '');
  }
  symlinkSync('private/munchkin-server', join(folder, 'var/lib/munchkin-server'));
  for (const line of removals) {
    assert.match(line, /^rm( -rf)?( \/\S+)+$/);
    execFileSync('sh', ['-c', line.replaceAll(' /', ` ${folder}/`)], { stdio: 'pipe' });
  }
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(files.filter((path) => path.includes('munchkin')), []);
  for (const path of kept) assert.ok(files.includes(path), path);
});

test('the unit runs as nobody in particular, and may do little', () => {
  const unit = readFileSync(join(root, 'src/server/munchkin-server.service'), 'utf8');
  const [, section] = /^\[Service\]\n([^]*?)^\[/m.exec(unit) || [];
  const lines = section.split('\n').filter((line) => /^[A-Za-z]+=/.test(line));
  const settings = lines.filter((line) => !/^(EnvironmentFile|Exec\w+|Restart\w*|Timeout\w+|Limit(?!CORE)\w+)=/.test(line));
  // All that there are: what is taken away, and what is allowed beside, is decided here too.
  assert.deepEqual(settings.sort(), [
    'CapabilityBoundingSet=',
    'DynamicUser=yes',
    'LimitCORE=0',
    'LockPersonality=yes',
    'MemoryDenyWriteExecute=yes',
    'NoNewPrivileges=yes',
    'PrivateDevices=yes',
    'PrivateTmp=yes',
    'PrivateUsers=yes',
    'ProcSubset=pid',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHome=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectProc=invisible',
    'ProtectSystem=strict',
    'RemoveIPC=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'StateDirectory=munchkin-server',
    'StateDirectoryMode=0700',
    'SystemCallArchitectures=native',
    'SystemCallErrorNumber=EPERM',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged',
    'UMask=0077',
  ]);
  // "+" and "!" before a program would run it with more.
  assert.deepEqual(lines.filter((line) => /^Exec/.test(line)).map((line) => /^\w+=(.{2})/.exec(line)?.[1]), ['@P']);
});

test('README and --help list the same flags', () => {
  const help = execFileSync(join(root, 'build/munchkin-server'), ['--help'], { encoding: 'utf8' });
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## munchkin-server\n'), readme.indexOf('### Events from your servers'));
  const listed = (/** @type {string} */ text) => new Set(text.match(/--[a-z][a-z-]*/g));
  const inTable = listed(table.split('\n').filter((line) => line.startsWith('| `--')).join('\n'));
  for (const flag of listed(help)) {
    if (['--help', '--version', '--json'].includes(flag)) continue;
    assert.ok(inTable.has(flag), `${flag} is not in README`);
  }
  for (const flag of inTable) assert.ok(help.includes(flag), `${flag} is not in --help`);
});
