/** What services of the fake account know of one another. */

/** Where tasks stand: one Docker network, whose gateway is this machine. */
export interface TaskNetwork {
  /** Of Docker. */
  name: string
  /** This machine, as tasks see it: where names are asked for, port 53. */
  gateway: string
}

export interface Target {
  address: string
  port: number
}

export interface TargetGroups {
  /** @throws AwsError where there is none, none of its balancers' rules leads to it, or its targets speak another protocol */
  assertUsable(arn: string, protocol: 'tcp' | 'udp'): void
  register(arn: string, target: Target): void
  /** Settles when nothing is under way to it any more, or its delay is over. */
  deregister(arn: string, target: Target): Promise<void>
  health(arn: string, target: Target): 'initial' | 'healthy' | 'unhealthy' | 'draining' | 'unused'
}

/** Services of Cloud Map, by ARN. */
export interface NameInstances {
  assertThere(arn: string): void
  register(arn: string, instance: { id: string; address: string }): void
  deregister(arn: string, id: string): void
}

export interface SecretValues {
  /** What a task definition's `valueFrom` gives. @throws AwsError in the words that a stopped task has */
  read(valueFrom: string): string
}

export interface LogLines {
  /** @throws AwsError where the group is not there */
  assertGroup(group: string): void
  /** What goes to a group that is gone is dropped. */
  append(group: string, stream: string, lines: { timeMs: number; text: string }[]): void
}

export interface Images {
  /** Docker's id of what a reference of the account's registry means. @throws AwsError as a task that cannot pull */
  resolve(reference: string): Promise<string>
}

export interface FileSystems {
  /** The directory of this machine behind an access point. @throws AwsError where there is none */
  path(fileSystem: string, accessPoint: string): string
}

/** A command that is to run inside a container of a task, which the session of an exec carries. */
export interface Containers {
  /** Docker's id of a container of a running task. @throws AwsError as ExecuteCommand does */
  find(taskArn: string, container: string): string
}

/** Certificates of the account, as a balancer shows them; null for one that is not issued, or not there. */
export interface ShownCertificates {
  find(arn: string): { chain: string; key: string; names: string[] } | null
}
