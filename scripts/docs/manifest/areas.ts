/** A part of the page: keys of one entry under `services:`, with what lies below them. */
export interface Area {
  title: string
  intro: string
  /** Separated by spaces. */
  keys: string
}

/** The keys of a process by what they are about; one that is in none of them comes last, under a heading of its own. */
export const areas: Area[] = [
  {
    title: 'What runs',
    intro:
      'Every process type is made from exactly one image: the one that `image` names, or what `build` makes. A text is split into words as a shell splits it, and no shell runs it.',
    keys: 'image command entrypoint working_dir user init extends profiles',
  },
  {
    title: 'Build',
    intro:
      'Process types with the same context, Dockerfile, target and arguments share one build. The context is the source directory or a folder in it.',
    keys: 'build dockerfile platform pull_policy pull_refresh_after',
  },
  {
    title: 'Variables, files and labels',
    intro:
      'A variable without a value (`- SECRET_KEY`, `SECRET_KEY:`) must be in the environment of the app before a release is promoted. `${…}` is filled in before anything is read.',
    keys: 'environment env_file configs secrets labels label_file annotations',
  },
  {
    title: 'Ports and names',
    intro:
      '`"80:5000"` opens port 80 of the rack and leads it to port 5000 of the process. `5000` alone can be reached inside the app only, by the name of the process. A process opens nothing else: what an image says under EXPOSE stays inside.',
    keys: `ports expose links external_links container_name hostname domainname networks network_mode net
      extra_hosts dns dns_opt dns_search mac_address`,
  },
  {
    title: 'Volumes',
    intro:
      'A named volume belongs to its app and is kept across releases. A process type that writes one stops before its successor starts, so that no two releases write to it. They overlap where it only reads the volume (`:ro`), where it has several copies, which share it anyway, and where the file asks for it: `deploy.update_config.order: start-first`, or the label `rack.deployment.minimum` above 0.',
    keys: 'volumes tmpfs volumes_from volume_driver read_only shm_size storage_opt',
  },
  {
    title: 'Start, health and end',
    intro:
      'A crashed copy is restarted with a back-off. Whether a copy serves is decided by its `healthcheck`, if there is one, and by the labels `rack.health.*` below.',
    keys: 'depends_on healthcheck restart stop_grace_period stop_signal pre_start post_start pre_stop',
  },
  {
    title: 'How many, and how much',
    intro:
      'Only the first deploy takes them from the file; from then on `rack scale` owns them. CPU is reserved and shared, memory is a hard limit.',
    keys: `deploy scale cpu_shares cpus mem_limit mem_reservation pids_limit ulimits cpu_count cpu_percent cpu_period
      cpu_quota cpu_rt_period cpu_rt_runtime cpuset mem_swappiness memswap_limit oom_kill_disable oom_score_adj
      blkio_config`,
  },
  {
    title: 'Rights',
    intro:
      "What reaches beyond the container needs the consent of the rack's owner: see `rack policy`. A process never gets access to the engine that runs it.",
    keys: `cap_add cap_drop privileged security_opt group_add sysctls umask userns_mode devices device_cgroup_rules gpus
      ipc pid uts cgroup cgroup_parent cgroupns_mode credential_spec isolation runtime use_api_socket`,
  },
  {
    title: 'Logs and terminal',
    intro: 'The rack keeps what processes print: `rack logs`.',
    keys: 'logging log_driver log_opt tty stdin_open attach',
  },
  {
    title: 'What only Compose has',
    intro: 'Keys for the machine of a developer, or for other programs.',
    keys: 'develop models provider',
  },
]
