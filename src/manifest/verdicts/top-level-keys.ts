import { honoured, ignored, quiet, refused, type RuleTable } from './verdict.ts'

const later = 'not supported by this version'
const off = ['false', 'no', 'off']
const reach = 'apps cannot reach what is outside of them'

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
  networks: ignored('all processes of an app share its one network'),
  'networks.*': quiet('all processes of an app share its one network'),
  'networks.*.attachable': quiet('only the app is on its network'),
  'networks.*.driver': quiet('the network is made by the rack'),
  'networks.*.driver_opts': quiet('the network is made by the rack'),
  'networks.*.enable_ipv4': quiet('the network is made by the rack'),
  'networks.*.enable_ipv6': quiet('the network is made by the rack'),
  'networks.*.external': refused(
    reach,
    'remove it; link what several apps use as a service: `rack links create`',
    off,
  ),
  'networks.*.internal': refused(
    `${later}, and leaving it out would open the network to the outside`,
    'remove the key',
    off,
  ),
  'networks.*.ipam': quiet('addresses are given by the rack'),
  'networks.*.labels': quiet('labels of the network; processes cannot see them'),
  'networks.*.name': quiet('the network is named by the rack'),
  volumes: honoured('named volumes, kept across releases'),
  'volumes.*': honoured('a named volume'),
  'volumes.*.driver': refused('volumes are made by the rack', 'remove the key', ['local']),
  'volumes.*.driver_opts': refused('volumes are made by the rack', 'remove the key'),
  'volumes.*.external': refused(
    'a volume belongs to its app',
    'remove the key; copy the data with `rack cp`',
    off,
  ),
  'volumes.*.labels': ignored('labels of the volume; processes cannot see them'),
  'volumes.*.name': ignored('a volume is named by its app and its key'),
  secrets: refused(later, 'use `rack env set NAME=value`; the environment is encrypted'),
  configs: refused(later, 'put the file into the image, or use `environment:`'),
  models: refused(later, 'name the endpoint in `environment:`'),
}
