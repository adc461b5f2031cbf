import { honoured, ignored, quiet, refused, translated, type RuleTable } from './verdict.ts'

const later = 'not supported by this version'
const off = ['false', 'no', 'off']
const removeIt = 'remove the key'
const rolling = "the rolling update is the rack's: see the labels rack.deployment.minimum and .maximum"
const backOff = 'the rack restarts with a back-off of its own'

const buildKeys: RuleTable = {
  'build.additional_contexts': refused(later, 'copy the files into the context'),
  'build.args': honoured(
    'arguments of the build; one without a value takes it from the environment of the app',
  ),
  'build.cache_from': ignored('the rack keeps a build cache'),
  'build.cache_to': ignored('the rack keeps a build cache'),
  'build.context': honoured('the directory that is built'),
  'build.dockerfile': honoured('the Dockerfile, relative to the context'),
  'build.dockerfile_inline': refused(later, 'write it to a file and name that with `dockerfile:`'),
  'build.entitlements': refused('a build gets no privileges', removeIt),
  'build.extra_hosts': refused(later, removeIt),
  'build.isolation': refused('a rack builds Linux images', removeIt, ['default']),
  'build.labels': ignored('labels of the image; processes cannot see them'),
  'build.network': refused(later, removeIt, ['default']),
  'build.no_cache': ignored('see `rack build --no-cache`'),
  'build.platforms': ignored("images are built for the rack's own platform"),
  'build.privileged': refused('a build gets no privileges', removeIt, off),
  'build.pull': ignored('base images are pulled when they are missing'),
  'build.secrets': refused(later, 'until then, fetch what needs a secret before the upload'),
  'build.shm_size': refused(later, removeIt),
  'build.ssh': refused(later, 'until then, fetch what needs the key before the upload'),
  'build.tags': ignored('images are kept by digest'),
  'build.target': honoured('the stage that is built'),
  'build.ulimits': refused(later, removeIt),
}

const deployKeys: RuleTable = {
  'deploy.endpoint_mode': ignored('the router balances'),
  'deploy.labels': ignored(
    'they label a Swarm service; `rack.*` labels belong under `labels:` of the process',
  ),
  'deploy.mode': translated('`global` runs one copy on every instance', '`rack.agent`'),
  'deploy.placement': ignored('the rack chooses where a process runs'),
  'deploy.replicas': honoured('copies of the first deploy; later `rack scale` owns it'),
  'deploy.resources': honoured('CPU and memory of the first deploy'),
  'deploy.resources.limits': honoured('memory is a hard limit'),
  'deploy.resources.limits.cpus': translated(
    'a rack reserves and shares CPU and does not cap it',
    'CPU units, 1024 a core',
  ),
  'deploy.resources.limits.memory': honoured('memory, a hard limit'),
  'deploy.resources.limits.pids': ignored('the rack limits the number of processes itself'),
  'deploy.resources.reservations': honoured('what the rack keeps free for a copy'),
  'deploy.resources.reservations.cpus': honoured('CPU units, 1024 a core'),
  'deploy.resources.reservations.memory': translated(
    'a rack reserves what it limits',
    'memory, where no limit is named',
  ),
  'deploy.resources.reservations.generic_resources': refused('a rack has CPU and memory only', removeIt),
  'deploy.resources.reservations.devices': refused('a rack gives no devices to processes', removeIt),
  'deploy.restart_policy': translated('see `restart:`', '`restart`'),
  'deploy.restart_policy.condition': translated('`none`, `on-failure` or `any`', '`restart`'),
  'deploy.restart_policy.delay': ignored(backOff),
  'deploy.restart_policy.max_attempts': ignored(backOff),
  'deploy.restart_policy.window': ignored(backOff),
  'deploy.rollback_config': ignored('a failed promote leaves what ran before'),
  'deploy.update_config': honoured('`order` alone'),
  'deploy.update_config.delay': ignored(rolling),
  'deploy.update_config.failure_action': ignored('a failed promote leaves what ran before'),
  'deploy.update_config.max_failure_ratio': ignored('every copy must get healthy'),
  'deploy.update_config.monitor': ignored('health is watched until the promote ends'),
  'deploy.update_config.order': translated(
    '`stop-first` lets no two releases overlap',
    'rack.deployment.minimum and .maximum',
  ),
  'deploy.update_config.parallelism': ignored(rolling),
}

const listKeys: RuleTable = {
  'depends_on.*': honoured('a process that starts before'),
  'depends_on.*.condition': honoured('what is waited for'),
  'depends_on.*.required': honoured('false lets the process be absent'),
  'depends_on.*.restart': ignored('a process finds a replaced one by its name'),
  'env_file[].format': honoured('`raw` reads lines as they are'),
  'env_file[].path': honoured('the file, relative to the compose file'),
  'env_file[].required': honoured('false lets the file be absent'),
  'healthcheck.disable': honoured("true switches the image's check off"),
  'healthcheck.interval': honoured('between two checks'),
  'healthcheck.retries': honoured('failures in a row that count'),
  'healthcheck.start_interval': ignored('the check runs at its usual interval from the start'),
  'healthcheck.start_period': honoured('failures that do not count at the start'),
  'healthcheck.test': honoured('what is run'),
  'healthcheck.timeout': honoured('the longest time for one check'),
  'networks.*': quiet('all processes of an app share its one network'),
  'networks.*.aliases': refused(
    'host names of a process come from links',
    'write `links: ["process:alias"]` where the alias is used',
  ),
  'networks.*.driver_opts': quiet('the network is made by the rack'),
  'networks.*.gw_priority': quiet('an app has one network'),
  'networks.*.interface_name': refused('an app has one network', removeIt),
  'networks.*.ipv4_address': refused('addresses are given by the rack', 'reach the process by its name'),
  'networks.*.ipv6_address': refused('addresses are given by the rack', 'reach the process by its name'),
  'networks.*.link_local_ips': refused('addresses are given by the rack', removeIt),
  'networks.*.mac_address': refused('addresses are given by the rack', removeIt),
  'networks.*.priority': quiet('an app has one network'),
  'ports[].app_protocol': quiet('the label rack.port.N.protocol decides'),
  'ports[].host_ip': refused(
    "the router binds the rack's own addresses",
    'leave it out; for a port inside the app name `target` alone',
  ),
  'ports[].mode': quiet('the router owns the ports of the host'),
  'ports[].name': quiet('a name for people'),
  'ports[].protocol': honoured('`tcp`'),
  'ports[].published': honoured('the port that the rack listens on'),
  'ports[].target': honoured('the port that the process listens on'),
  'volumes[].bind': refused('a rack mounts no directories of the host', 'use a named volume'),
  'volumes[].consistency': quiet('it is for desktop machines'),
  'volumes[].image': refused(later, 'copy the files in the Dockerfile'),
  'volumes[].read_only': honoured('the process cannot write to it'),
  'volumes[].source': honoured('the name of the volume'),
  'volumes[].target': honoured('where it is mounted'),
  'volumes[].tmpfs': honoured('a directory in memory'),
  'volumes[].tmpfs.mode': refused(later, removeIt, ['1777', '01777', '0o1777']),
  'volumes[].tmpfs.size': ignored('the memory limit of the process bounds it'),
  'volumes[].type': honoured('`volume` or `tmpfs`'),
  'volumes[].volume': honoured('how the volume is mounted'),
  'volumes[].volume.labels': ignored('labels of the volume; processes cannot see them'),
  'volumes[].volume.nocopy': refused(later, removeIt, off),
  'volumes[].volume.subpath': refused(later, 'use a volume of its own'),
}

/** Verdicts on the keys below those of one entry under `services:`. */
export const nestedKeys: RuleTable = { ...buildKeys, ...deployKeys, ...listKeys }
