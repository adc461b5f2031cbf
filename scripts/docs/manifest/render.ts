import { allKeys } from '../../../src/manifest/verdicts/all-keys.ts'
import { defaultsTable } from './defaults.ts'
import { labelTables, processTables, topLevelTable } from './tables.ts'

/** `docs/manifest.md`, from the tables that the reader uses. */
export function renderManifest(): string {
  return [
    ...introduction(),
    '## Defaults',
    '',
    'After the first deploy, copies, CPU and memory are those of `rack scale`.',
    '',
    ...defaultsTable(),
    '## The top of the file',
    '',
    ...topLevelTable(),
    '## A process',
    '',
    'The keys of one entry under `services:`. `NAME` is a name of yours, `[]` the items of a list.',
    '',
    ...processTables(),
    '## Labels',
    '',
    'Labels under `labels:` of a process that start with `rack.` configure the rack. Each is also read with the prefix `convox.`,',
    'with the ranges and defaults that it has there; where both stand, `rack.` wins. A name that is unknown is an error under',
    '`rack.`, with the nearest one, and a warning under `convox.`. All other labels are put on the containers.',
    '',
    ...labelTables(),
  ].join('\n')
}

function introduction(): string[] {
  return [
    '# docker-compose.yml',
    '',
    'A rack runs the compose file that you have: of format 1, 2.x, 3.x, or of the Compose Specification. No key is ignored in',
    'silence. Each has one of four verdicts, and this page is the list of them:',
    '',
    ...verdictTable(),
    'A key that is in no format is an error, with the nearest one that is. Keys that start with `x-` are yours.',
    '',
    '```',
    'rack manifest check               # what is wrong, with line and column, and what each process will be called',
    'rack manifest check --verdicts    # what comes of every key',
    'rack manifest check --resolved    # the file in its longest form: nothing inherited, included or left to a variable',
    'rack manifest init                # a first file, from a Procfile or a Dockerfile',
    '```',
    '',
    'They need no rack. `check` ends with 1 for a file that a rack refuses, and takes `--json`.',
    '',
    '## How files are read',
    '',
    '- **Found**: the first of `compose.yaml`, `compose.yml`, `docker-compose.yml`, `docker-compose.yaml`. An override file',
    '  is not picked up by itself: what is deployed is what is named, `rack deploy -f docker-compose.yml -f production.yml`.',
    '- **Merged**: a later file is laid over the earlier ones. Mappings merge key by key; lists merge, ports, volumes, secrets and',
    '  configs by what they are about; `command`, `entrypoint` and `healthcheck.test` are replaced. `!override` replaces anything,',
    '  `!reset` takes it away. `extends` lays a process over another by the same rules, and `include` brings the processes of further',
    '  files, each with paths and variables of its own.',
    '- **Variables**: `$V`, `${V}`, `${V:-default}`, `${V-default}`, `${V:?message}`, `${V?message}`, `${V:+other}`, `${V+other}`, nested',
    "  ones too; `$$` is a dollar. They read the app's environment, then `.env` beside the first file; never the environment of the",
    "  machine. `COMPOSE_PROJECT_NAME` is the app's name, unless one of them has it. What the environment has is known when a release",
    '  is promoted: until then a variable without a value is a warning.',
    '- **Files of variables**: `.env` and what `env_file` names are read as Compose reads them: quotes, values of several lines,',
    '  `export`, comments, and variables that name those before them. A name alone takes the value that the app has for it.',
    '- **Profiles**: a process with `profiles` is part of the app while the variable `COMPOSE_PROFILES` names one of them:',
    '  `rack env set COMPOSE_PROFILES=debug`.',
    '- **Inside**: every path is relative to its file (of several `-f`, to the first) and stays in the source directory. Nothing is',
    '  fetched from elsewhere.',
    '- **YAML 1.2**: anchors, aliases and merge keys are followed; a key given twice, a tab, or a second document is an error. Text that',
    '  older readers take for something else (`22:22`, `0755`, `1e3`) is warned about.',
    '- **Bounds**: a file has up to 1 MiB, an app up to 500 processes; what anchors, `extends`, variables and files of variables repeat',
    '  is counted, so that no file keeps a rack busy.',
    '',
  ]
}

function verdictTable(): string[] {
  const rules = Object.values(allKeys)
  const count = (verdict: string) => rules.filter((rule) => rule.verdict === verdict).length
  return [
    '| verdict | keys | what it means |',
    '|---|---|---|',
    `| honoured | ${count('honoured')} | it does what it says |`,
    `| translated | ${count('translated')} | it becomes something of the rack's |`,
    `| ignored | ${count('ignored')} | leaving it out changes nothing for the app |`,
    `| refused | ${count('refused')} | leaving it out would change what the app does: the file is not deployed until it is gone |`,
    '',
    'What lies below a key that is ignored or refused shares its verdict.',
  ]
}
