import type { Environment } from './environment.ts'
import { linkVariables, type LinkAddress } from './link.ts'

/** A resource that apps share: run from an image, or known by its URL. */
export interface Service {
  name: string
  kind: string
  status: 'creating' | 'running' | 'updating' | 'failed' | 'deleting'
  created: string
}

/** What an engine needs to run a service. Holds secrets. */
export interface ServiceSpec {
  name: string
  image: string
  environment: Environment
  /** Where the image keeps its data. */
  dataPath: string
  port: number
  cpuUnits: number
  memoryBytes: number
}

export type ServiceAddress = LinkAddress

/** A service as one app sees it. */
export interface ServiceLink {
  service: string
  alias: string
  address: LinkAddress
}

export function serviceVariables({ alias, address }: ServiceLink): Environment {
  return linkVariables(alias, address)
}
