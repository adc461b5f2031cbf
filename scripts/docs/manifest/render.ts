import { engineFeatures } from '../../../src/domain/engine-features.ts'
import { allKeys } from '../../../src/manifest/verdicts/all-keys.ts'
import { ruleOn } from '../../../src/manifest/verdicts/verdict.ts'
import { defaultsTable } from './defaults.ts'
import { differenceTable } from './differences.ts'
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
    '## What differs between engines',
    '',
    'A rack on one machine runs its processes by Docker, one in an AWS account by ECS on Fargate. What is not in this table is',
    'the same for a file: `rack manifest check --for aws`. What else differs, and which test shows it: [engines.md](engines.md).',
    '',
    ...differenceTable(),
  ].join('\n')
}

function introduction(): string[] {
  return [
    '# docker-compose.yml',
    '',
    'A rack runs the compose file that you have: of format 1, 2.x, 3.x, or of the Compose Specification. No key is ignored in',
    'silence. Each has one of four verdicts, and this page is the list of them, with a column for each kind of rack: `docker` is one',
    'machine, `aws` an AWS account.',
    '',
    ...verdictTable(),
    'A key that is in no format is an error, with the nearest one that is. Keys that start with `x-` are yours.',
    '',
    '```',
    'rack manifest check               # what is wrong, with line and column, and what each process will be called',
    'rack manifest check --verdicts    # what comes of every key',
    'rack manifest check --for aws     # the same for a rack in an AWS account; without it for one machine',
    'rack manifest check --resolved    # the file in its longest form: nothing inherited, included or left to a variable',
    'rack manifest fix                 # how the file becomes one that a rack takes, as a diff; --write changes it',
    'rack manifest init                # a first file, from a Procfile or a Dockerfile',
    '```',
    '',
    'They need no rack. `check` and `fix` end with 1 for a file that a rack refuses, and take `--json`.',
    '',
    '`fix` changes what has one right answer, in its place; comments, order and the rest stay as they are written:',
    '',
    '- keys, labels and settings that are misspelt; `version` of no format; what is given twice; lone dollars, words and numbers that',
    '  readers of YAML take for different things;',
    '- a web port without a name gets the label `rack.port.N.protocol=http`, which changes nothing for Compose; what is said to Traefik',
    "  (by a Swarm service too), Caddy and nginx-proxy becomes the port, and the labels of the rack's that say the same;",
    "- a mount of the engine's socket goes, and it is told what is done in place of it; so do keys without which an app is the same;",
    '- volumes and networks that are named are declared, secrets and configs of others become variables of the app, and a process whose',
    '  name cannot be gets another one, with its old name as a host name.',
    '',
    'What it leaves is listed with its line: paths and namespaces of the machine, networks of others, `network_mode`, cycles, and names',
    'that may be either of two.',
    '',
    ...howFilesAreRead(),
  ]
}

function howFilesAreRead(): string[] {
  return [
    '## How files are read',
    '',
    '- **Found**: the first of `compose.yaml`, `compose.yml`, `docker-compose.yml`, `docker-compose.yaml`, here or upwards. An override file',
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
    '  `export`, comments, and variables that name those before them. A name alone takes the value that the app has for it; under',
    '  `environment:` the value of `.env` where the app has none.',
    '- **Profiles**: a process with `profiles` is part of the app while the variable `COMPOSE_PROFILES` names one of them:',
    '  `rack env set COMPOSE_PROFILES=debug`.',
    '- **Ports without a name**: a port other than 80 and 443 is raw tcp, unless a label says `http`. One that speaks HTTP all the same is',
    '  noticed when it is live: the deploy says so, and from the next promote on it is served by name too, beside the raw port. The label',
    '  `rack.port.N.protocol=tcp` says that raw is meant; ports of well-known other protocols are never asked.',
    '- **Names**: a process is called as a host name can be: `My_DB` becomes `my-db` in commands and in host names, and stays a name',
    '  of the process inside the app. Two that would be called the same are an error.',
    '- **Time**: `/etc/localtime` and `/etc/timezone` are those of the rack, read-only, whatever its policy is.',
    '- **Relative bind mounts** (`./html:/www`): what the source has at the path is part of the release. It is taken with the upload and',
    '  laid into the image of the process, where it hides what the image has; what a copy writes there goes with the copy. A folder',
    '  that is, or holds, what the process is built from is laid over instead, since results of the build (`node_modules`) are in the',
    '  image alone. What the source does not have, or an empty folder, is data: a named volume that is called after the path.',
    '  `rack manifest check` says which, the label `rack.mount.<path>=release|volume` chooses; with `volume` the first fill comes from',
    '  the source. What was data stays data when somebody adds a file there, and the deploy says so. `.dockerignore` holds for',
    '  folders (one of which it leaves out everything is data), not for a file that is named itself; `.env`, files of variables and',
    '  secrets, `.git` and `.rack` are never laid: `./.env:/app/.env` becomes a secret at that path. A variable of the app that leads',
    '  a mount elsewhere asks for a new build.',
    '- **Inside**: every path is relative to its file (of several `-f`, to the first) and stays in the source directory, whatever links',
    '  lie there. Only files are read, no pipes or devices. Nothing but repositories of builds is fetched from elsewhere.',
    '- **Repositories**: `build: https://example.com/shop.git#REF:FOLDER` (`ssh://`, `git://` and `git@HOST:` too) is fetched by git of the machine',
    '  that deploys, by its own keys, and sent with the source; the rack fetches nothing and has no key. A branch may be another source each time,',
    '  which is a warning; a commit is not. An address with a password or a token is refused.',
    '- **Images**: beside `build`, `image` is a name of the app’s own: processes of the same file that ask for it get what is built. The',
    '  engine never hears of it, so a `FROM` cannot name it, and no image that others pull is replaced.',
    '- **YAML 1.2**: anchors, aliases and merge keys are followed; a key given twice, a tab, or a second document is an error. Text that',
    '  older readers take for something else (`22:22`, `0755`, `1e3`) is warned about.',
    '- **Bounds**: a file has up to 1 MiB, all that is named 16 MiB, an app up to 500 processes; what anchors, `extends`, variables and',
    '  files of variables repeat is counted, so that no file keeps a rack busy.',
    '',
  ]
}

function verdictTable(): string[] {
  const rules = Object.values(allKeys)
  const counts = (verdict: string) =>
    engineFeatures
      .map((features) => rules.filter((rule) => ruleOn(rule, features).verdict === verdict).length)
      .join(' | ')
  return [
    `| verdict | ${engineFeatures.map(({ name }) => name).join(' | ')} | what it means |`,
    `|---|${engineFeatures.map(() => '---|').join('')}---|`,
    `| honoured | ${counts('honoured')} | it does what it says |`,
    `| translated | ${counts('translated')} | it becomes something of the rack's |`,
    `| ignored | ${counts('ignored')} | leaving it out changes nothing for the app |`,
    `| refused | ${counts('refused')} | leaving it out would change what the app does: the file is not deployed until it is gone |`,
    '',
    '`in part` is a key of which some values have another verdict. What lies below a key that is ignored or refused shares its',
    'verdict.',
  ]
}
