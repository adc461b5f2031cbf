/** What is chosen of a daemon that runs inside the account. */
export interface InsideInput {
  /** Ranges of addresses from which its API is reached, four at most; from everywhere where there is none. */
  allow: string[]
  /** Below which apps have their names, where the public asks for it: the daemon may put records of theirs there. */
  domain?: string
  /** Reference of the image that the daemon's stands on; the usual one when absent. No template names it. */
  nodeImage?: string
}

/** Where the daemon answers inside the network, behind the balancer. */
export const apiPort = 8080

/** The name of the API, which leads nowhere: clients ask the balancer's address for it. */
export const apiHostOf = (rack: string): string => `api.${rack}.internal`

/** Of the daemon's service, and of the family of its task definitions: no generation of an app is called so. */
export const daemonName = (rack: string): string => `rack-${rack}-daemon`

/** Of CodeBuild, where apps are built. */
export const buildProjectName = (rack: string): string => `rack-${rack}-builds`
