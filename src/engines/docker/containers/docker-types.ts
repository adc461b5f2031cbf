/** What is read of Docker Engine's answers; nothing that Engine 29 dropped. */
export interface ContainerSummary {
  Id: string
  Names: string[]
  Created: number
  State: ContainerState
  Labels: Record<string, string>
  /** Volumes have a name. */
  Mounts?: { Name?: string }[]
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

export interface ContainerInspect {
  Id: string
  Name: string
  /** RFC 3339 with nanoseconds. */
  Created: string
  Image: string
  RestartCount: number
  State: {
    Status: ContainerState
    Running: boolean
    Paused: boolean
    OOMKilled: boolean
    Pid: number
    ExitCode: number
    Error: string
    StartedAt: string
    FinishedAt: string
    Health?: { Status: 'starting' | 'healthy' | 'unhealthy' | 'none'; FailingStreak: number } | null
  }
  Config: { Labels: Record<string, string>; Tty: boolean; Cmd: string[] | null; Entrypoint: string[] | null }
  HostConfig: { RestartPolicy: { Name: string }; ExtraHosts?: string[] | null }
  NetworkSettings: { Networks: Record<string, EndpointInspect> | null }
  /** Volumes have a name. */
  Mounts?: { Name?: string }[] | null
}

export interface EndpointInspect {
  IPAMConfig?: { IPv4Address?: string } | null
  Aliases?: string[] | null
}

export interface NetworkInspect {
  Id: string
  Name: string
  Labels: Record<string, string> | null
  IPAM: { Config: { Subnet?: string }[] | null }
  Containers?: Record<string, unknown> | null
}
