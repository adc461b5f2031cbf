import type { Fix } from '../fix/fix.ts'
import { honoured, ignored, needing, partly, quiet, refused, translated, type RuleTable } from './verdict.ts'

const later = 'not supported by this version'
const off = ['false', 'no', 'off']

/** Verdicts on the keys at the top of the file, and below all of them but `services`. */
export const topLevelKeys: RuleTable = {
  version: quiet('the keys say which format it is'),
  name: quiet('the app is named by the rack'),
  services: honoured('the process types of the app'),
  include: honoured('further compose files, each with paths and variables of its own'),
  'include[].path': honoured('the file, or several that are merged'),
  'include[].project_directory': honoured(
    'where relative paths in it start; the folder of the file unless given',
  ),
  'include[].env_file': honoured(
    'values for `${VAR}` in it, below those of the app; `.env` beside it unless given',
  ),
  jobs: refused(later, 'make it a process of its own, or run it by hand: `rack run PROCESS COMMAND`'),
  networks: partly(['separateNetworks'], honoured('processes that share no network are kept apart')),
  'networks.*': honoured('who is on it reaches each other, by name'),
  'networks.*.attachable': quiet('only the app is on its network'),
  'networks.*.driver': refused('the network of an app is made by the rack', 'remove the key', [
    'bridge',
    'overlay',
    'default',
  ]),
  'networks.*.driver_opts': ignored('the network of an app is made by the rack'),
  'networks.*.enable_ipv4': ignored('the network of an app is made by the rack'),
  'networks.*.enable_ipv6': ignored('the network of an app is made by the rack'),
  'networks.*.external': {
    ...translated(
      'the rack routes by host name itself; a network for anything else is refused',
      'a network of the app',
    ),
    unless: off,
  },
  'networks.*.external.name': translated('the form before 3.5', '`name`'),
  'networks.*.internal': needing('internalNetworks', {
    ...honoured('a process on internal networks alone has no way out, and no port outside'),
    unless: off,
  }),
  'networks.*.ipam': quiet('addresses are given by the rack'),
  'networks.*.labels': quiet('labels of the network; processes cannot see them'),
  'networks.*.name': translated(
    'the network is named by the rack',
    'a name that says what an external one is for',
  ),
  volumes: honoured('named volumes, kept across releases'),
  'volumes.*': needing('diskVolumes', honoured('a named volume')),
  'volumes.*.driver': refused('volumes are made by the rack', 'remove the key', ['local']),
  'volumes.*.driver_opts': honoured(
    '`{ type: none, o: bind, device: PATH }`: the volume is the path, as if that were mounted itself; others are refused',
  ),
  'volumes.*.external': needing('binds', {
    ...honoured("a volume of the machine that no app made; one that the rack's policy allows"),
    unless: off,
  }),
  'volumes.*.external.name': translated('the form before 3.4', '`name`'),
  'volumes.*.labels': ignored('labels of the volume; processes cannot see them'),
  'volumes.*.name': honoured(
    'what the machine calls an external volume; others are named by their app and their key',
  ),
  secrets: honoured('files that processes name under their own `secrets:`, encrypted where they rest'),
  'secrets.*': honoured('a secret'),
  'secrets.*.driver': refused('secrets are kept by the rack', 'use `file:` or `environment:`'),
  'secrets.*.driver_opts': refused('secrets are kept by the rack', 'use `file:` or `environment:`'),
  'secrets.*.environment': honoured('the variable of the app, or of `.env`, that is the content'),
  'secrets.*.external': {
    ...refused(
      'a secret belongs to its app',
      'set its value with `rack env set NAME=value`, and write `environment: NAME` here',
      off,
    ),
    fix: fromEnvironment,
  },
  'secrets.*.file': honoured('the file of the source that is the content, or a folder of such files'),
  'secrets.*.labels': ignored('labels of the secret; processes cannot see them'),
  'secrets.*.name': quiet('a secret is named by its app and its key'),
  'secrets.*.template_driver': refused(
    'contents are taken as they are',
    'fill the template in before the upload',
  ),
  configs: honoured('files that processes name under their own `configs:`'),
  'configs.*': honoured('a config'),
  'configs.*.content': honoured('the text of the file'),
  'configs.*.environment': honoured('the variable of the app, or of `.env`, that is the content'),
  'configs.*.external': {
    ...refused(
      'a config belongs to its app',
      'keep its file in the source and write `file: ./NAME` here, or use `environment: NAME`',
      off,
    ),
    fix: fromEnvironment,
  },
  'configs.*.file': honoured('the file of the source that is the content, or a folder of such files'),
  'configs.*.labels': ignored('labels of the config; processes cannot see them'),
  'configs.*.name': quiet('a config is named by its app and its key'),
  'configs.*.template_driver': refused(
    'contents are taken as they are',
    'fill the template in before the upload, or use `content:` with variables',
  ),
  models: refused('a rack runs no models', 'name the endpoint of one in `environment:`'),
}

/** `secrets.db-password.external` becomes the variable DB_PASSWORD of the app. */
function fromEnvironment(path: string): Fix {
  const name = path.replace(/^[a-z]+\./, '').replace(/\.external$/, '')
  const variable = name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')
  return { change: 'replace', key: 'environment', value: /^\d/.test(variable) ? `_${variable}` : variable }
}
