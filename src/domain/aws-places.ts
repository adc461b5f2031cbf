/** What the rack's stacks have made, in which the engine works. */
export interface AwsPlaces {
  region: string
  account: string
  /** Of ECS; called as the rack. */
  cluster: string
  vpc: string
  /** In which tasks stand, one a zone. */
  subnets: string[]
  /** In which balancers stand. */
  balancerSubnets: string[]
  /** Ids of security groups: of every process, of the balancers, of the daemon, and of what is open at ports of their own. */
  securityGroups: { processes: string; balancers: string; daemon: string; ports: string }
  /** False behind a gateway of the account's own. */
  assignsPublicIp: boolean
  /** Id of the rack's own zone of Route 53, `R.internal`. */
  zone: string
  /** Id of the namespace of Cloud Map, `members.R.internal`. */
  namespace: string
  /** Answers requests of the web. */
  balancer: { arn: string; host: string; listeners: { http: string; https: string | null } }
  /** Answers on ports of their own; null where the rack was installed without: the first such port has it made. */
  networkBalancer: { arn: string; host: string } | null
  /** Id of the file system on which volumes lie. */
  fileSystem: string
  bucket: string
  /** Of CodeBuild, privileged, which runs the daemon's image; null where images are not built there. */
  buildProject: string | null
  /** Reference of the image that the init container runs. */
  toolImage: string
  /** Of KMS: what secrets at rest are kept by; the account's usual key when absent. */
  key?: string
  /** ARN of the boundary of every role that an app has. */
  roleBoundary?: string
  /** ARN of the role by which CloudFormation makes stacks of apps and services; as whoever calls it when absent. */
  stackRole?: string
}

/** Whether a name may stand in that of a repository of ECR: its dashes stand alone, and none at the end (S). Pure. */
export const isRepositoryPart = (name: string): boolean => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)

/** The stack of the network balancer of a rack that was installed without. */
export const portsStackName = (rack: string): string => `rack-${rack}-ports`
