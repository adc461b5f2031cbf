/** What a prune takes besides what retention no longer keeps. */
export interface PruneOptions {
  /** The cache of builds too. */
  buildCache: boolean
  /** The data of apps that are no more, too. */
  volumes: boolean
}
