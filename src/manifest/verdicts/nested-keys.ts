import {
  dispensable,
  honoured,
  ignored,
  needing,
  partly,
  quiet,
  refused,
  translated,
  type RuleTable,
} from './verdict.ts'

const off = ['false', 'no', 'off']
const removeIt = 'remove the key'
const backOff = 'the rack restarts with a back-off of its own'

const buildKeys: RuleTable = {
  'build.additional_contexts': honoured(
    'folders of the source, images (`docker-image://NAME`) and images of other processes (`service:NAME`) for `FROM` and `--from`',
  ),
  'build.args': honoured(
    'arguments of the build, which its image shows; one without a value takes it from the environment of the app',
  ),
  'build.cache_from': ignored('the rack keeps a build cache'),
  'build.cache_to': ignored('the rack keeps a build cache'),
  'build.context': honoured(
    'the directory that is built, or a repository of git (`URL.git#REF:FOLDER`) that the command line fetches',
  ),
  'build.dockerfile': honoured('the Dockerfile, relative to the context'),
  'build.dockerfile_inline': honoured('the Dockerfile itself'),
  'build.entitlements': refused('a build gets no privileges', removeIt),
  'build.extra_hosts': honoured('lines of the hosts file during the build'),
  'build.isolation': refused('a rack builds Linux images', removeIt, ['default']),
  'build.labels': honoured('labels of the image'),
  'build.network': honoured('`none` builds without a network'),
  'build.no_cache': ignored(
    'the file is the same for every build; for one without the cache: `rack build --no-cache`',
  ),
  'build.no_cache_filter': ignored(
    'the file is the same for every build; for one without the cache: `rack build --no-cache`',
  ),
  'build.platforms': ignored("images are built for the rack's own platform"),
  'build.privileged': refused('a build gets no privileges', removeIt, off),
  'build.provenance': quiet('it describes an image that is pushed to a registry'),
  'build.pull': ignored('base images are pulled when they are missing; the cache of builds is kept'),
  'build.sbom': quiet('it describes an image that is pushed to a registry'),
  'build.secrets': needing(
    'buildSecrets',
    honoured('files for `RUN --mount=type=secret`, in no layer; a new value alone builds no step again'),
  ),
  'build.secrets[].gid': quiet('the mount in the Dockerfile says whose the file is'),
  'build.secrets[].mode': quiet('the mount in the Dockerfile says how the file may be used'),
  'build.secrets[].source': honoured('the name under the top-level `secrets:`'),
  'build.secrets[].target': honoured('the id of the mount, the name when none is given'),
  'build.secrets[].uid': quiet('the mount in the Dockerfile says whose the file is'),
  'build.shm_size': honoured('the size of /dev/shm while a step runs'),
  'build.ssh': needing(
    'buildSecrets',
    honoured(
      "`default` and `ID` are private keys in the app's variables SSH_KEY and SSH_KEY_ID, `ID=PATH` one in a file of the source; steps sign with them by `RUN --mount=type=ssh`, and never see them",
    ),
  ),
  'build.tags': ignored('images are kept by digest'),
  'build.target': honoured('the stage that is built'),
  'build.ulimits': partly(['ulimits', 'openFiles'], honoured('limits of the steps')),
  'build.ulimits.*': partly(['openFiles'], honoured('one limit: a number, or `soft` and `hard`')),
  'build.ulimits.*.hard': honoured('what a step cannot go above'),
  'build.ulimits.*.soft': honoured('what holds at first'),
}

const deployKeys: RuleTable = {
  'deploy.endpoint_mode': ignored('the router and the names inside the app lead to every copy that serves'),
  'deploy.labels': {
    ...ignored('they label a Swarm service; `rack.*` labels belong under `labels:` of the process'),
    isRead: true,
  },
  'deploy.mode': needing('agents', {
    ...translated('`global` runs one copy on every instance', '`rack.agent`'),
    unless: ['replicated'],
  }),
  'deploy.placement': ignored('the rack chooses where a process runs'),
  'deploy.replicas': honoured('copies of the first deploy; later `rack scale` owns it'),
  'deploy.resources': honoured('CPU and memory of the first deploy'),
  'deploy.resources.limits': honoured('memory is a hard limit'),
  'deploy.resources.limits.cpus': partly(
    ['copySize'],
    translated('a rack reserves and shares CPU and does not cap it', 'CPU units, 1024 a core'),
  ),
  'deploy.resources.limits.memory': partly(['copySize'], honoured('memory, a hard limit')),
  'deploy.resources.limits.pids': needing('pidsLimit', honoured('the most processes and threads')),
  'deploy.resources.reservations': honoured('what the rack keeps free for a copy'),
  'deploy.resources.reservations.cpus': partly(['copySize'], honoured('CPU units, 1024 a core')),
  'deploy.resources.reservations.memory': translated(
    'a rack reserves what it limits',
    'memory, where no limit is named',
  ),
  'deploy.resources.reservations.generic_resources': refused('a rack has CPU and memory only', removeIt),
  'deploy.resources.reservations.devices': needing(
    'devices',
    honoured("GPUs, which are counted; only where the rack's policy allows `gpu`"),
  ),
  ...gpuKeys('deploy.resources.reservations.devices[]'),
  'deploy.restart_policy': translated('see `restart:`', '`restart`'),
  'deploy.restart_policy.condition': partly(
    ['restartOnFailure', 'restartNever'],
    translated('`none`, `on-failure` or `any`', '`restart`'),
  ),
  'deploy.restart_policy.delay': ignored(backOff),
  'deploy.restart_policy.max_attempts': ignored(backOff),
  'deploy.restart_policy.window': ignored(backOff),
  'deploy.rollback_config': ignored('a failed promote leaves what ran before'),
  'deploy.update_config': translated('the rolling update', 'rack.deployment.minimum and .maximum'),
  'deploy.update_config.delay': ignored('the next copies move when the ones before are healthy'),
  'deploy.update_config.failure_action': ignored('a failed promote leaves what ran before'),
  'deploy.update_config.max_failure_ratio': ignored('every copy must get healthy'),
  'deploy.update_config.monitor': ignored('health is watched until the promote ends'),
  'deploy.update_config.order': translated('which copies go first', 'rack.deployment.minimum and .maximum'),
  'deploy.update_config.parallelism': translated(
    'how many copies move at a time',
    'rack.deployment.minimum and .maximum',
  ),
}

function gpuKeys(prefix: string): RuleTable {
  return {
    [`${prefix}.capabilities`]: honoured('what they are for'),
    [`${prefix}.count`]: honoured('how many, or `all`'),
    [`${prefix}.device_ids`]: honoured('which ones'),
    [`${prefix}.driver`]: honoured('who gives them; the usual one unless it is named'),
    [`${prefix}.options`]: ignored('the driver takes its own'),
  }
}

const listKeys: RuleTable = {
  'devices[].permissions': honoured('of reading, writing and mknod: `rwm`'),
  'devices[].source': honoured('the device of the machine'),
  'devices[].target': honoured('its path in the container'),
  ...gpuKeys('gpus[]'),
  'depends_on.*': honoured('a process that starts before'),
  'depends_on.*.condition': honoured('what is waited for'),
  'depends_on.*.required': honoured('false lets the process be absent'),
  'depends_on.*.restart': honoured(
    'true replaces the copies whenever those of the other process are replaced',
  ),
  'env_file[].format': honoured('`raw` reads lines as they are'),
  'env_file[].path': honoured('the file, relative to the compose file'),
  'env_file[].required': honoured('false lets the file be absent'),
  'configs[].gid': honoured('the group of the file'),
  'configs[].mode': honoured('its permission bits, 0444 when none are given'),
  'configs[].source': honoured('the name under the top-level `configs:`'),
  'configs[].target': honoured('its path, /NAME when none is given'),
  'configs[].uid': honoured('the owner of the file'),
  'extends.file': honoured('a further compose file; without it the process is in the same one'),
  'extends.service': honoured('the process that this one is laid over'),
  'healthcheck.disable': honoured("true switches the image's check off"),
  'healthcheck.interval': honoured('between two checks'),
  'healthcheck.retries': honoured('failures in a row that count'),
  'healthcheck.start_interval': ignored('the check runs at its usual interval from the start'),
  'healthcheck.start_period': honoured('failures that do not count at the start'),
  'healthcheck.test': honoured('what is run'),
  'healthcheck.timeout': honoured('the longest time for one check'),
  'logging.driver': translated('the rack keeps the lines of every process', '`rack logs`'),
  'logging.options': quiet('the rack bounds what it keeps'),
  'networks.*': honoured('a network that the process is on'),
  'networks.*.aliases': honoured('further host names of the process on this network'),
  'networks.*.driver_opts': quiet('the network is made by the rack'),
  'networks.*.gw_priority': quiet('a copy has one interface, whatever networks it is on'),
  'networks.*.interface_name': dispensable(
    refused('a copy has one interface, whatever networks it is on', removeIt),
  ),
  'networks.*.ipv4_address': translated('addresses are given by the rack', 'the name of the process'),
  'networks.*.ipv6_address': translated('addresses are given by the rack', 'the name of the process'),
  'networks.*.link_local_ips': dispensable(refused('addresses are given by the rack', removeIt)),
  'networks.*.mac_address': dispensable(refused('addresses are given by the rack', removeIt)),
  'networks.*.priority': quiet('a copy has one interface, whatever networks it is on'),
  'networks.*.use_service_name_alias': refused(
    'the other processes reach this one by its name',
    'remove the key',
    ['true', 'yes', 'on'],
  ),
  'ports[].app_protocol': quiet('the label rack.port.N.protocol decides'),
  'ports[].host_ip': partly(
    ['localPorts'],
    honoured('`127.0.0.1` opens the port for the machine of the rack alone'),
  ),
  'ports[].mode': quiet('the router owns the ports of the host'),
  'ports[].name': quiet('a name for people'),
  'ports[].protocol': honoured('`tcp` or `udp`'),
  'ports[].published': honoured('the port that the rack listens on'),
  'ports[].target': honoured('the port that the process listens on'),
  'secrets[].gid': honoured('the group of the file'),
  'secrets[].mode': honoured('its permission bits, 0444 when none are given'),
  'secrets[].source': honoured('the name under the top-level `secrets:`'),
  'secrets[].target': honoured('its path, /run/secrets/NAME when none is given'),
  'secrets[].uid': honoured('the owner of the file'),
  'ulimits.*': partly(['openFiles'], honoured('one limit: a number, or `soft` and `hard`')),
  'ulimits.*.hard': honoured('what the process cannot go above'),
  'ulimits.*.soft': honoured('what holds at first'),
  'volumes[].bind': partly(['binds'], honoured('how the path is mounted')),
  'volumes[].bind.create_host_path': ignored('the path must be on the machine: a rack creates none'),
  'volumes[].bind.propagation': dispensable(
    refused('mounts would reach other mounts of the machine', removeIt, ['private', 'rprivate']),
  ),
  'volumes[].bind.recursive': refused('what is mounted below the path comes with it', removeIt, [
    'enabled',
    'true',
  ]),
  'volumes[].bind.selinux': ignored('no SELinux label of the host is changed; set it on the machine'),
  'volumes[].consistency': quiet('it is for desktop machines'),
  'volumes[].image': refused(
    'an image is what a process runs, not what it mounts',
    'COPY --from the image in the Dockerfile',
  ),
  'volumes[].read_only': honoured('the process cannot write to it'),
  'volumes[].source': honoured('the name of the volume, a path from the compose file, or a path on the host'),
  'volumes[].target': honoured('where it is mounted'),
  'volumes[].tmpfs': honoured('a directory in memory'),
  'volumes[].tmpfs.mode': honoured('its permission bits'),
  'volumes[].tmpfs.size': honoured('its size; the memory limit of the process bounds it too'),
  'volumes[].type': honoured('`volume`, `tmpfs` or `bind`'),
  'volumes[].volume': honoured('how the volume is mounted'),
  'volumes[].volume.labels': ignored('labels of the volume; processes cannot see them'),
  'volumes[].volume.nocopy': honoured('true keeps a new volume empty'),
  'volumes[].volume.subpath': refused(
    'a volume is mounted whole',
    'use a volume of its own, or a link in the image',
  ),
}

/** Verdicts on the keys below those of one entry under `services:`. */
export const nestedKeys: RuleTable = { ...buildKeys, ...deployKeys, ...listKeys }
