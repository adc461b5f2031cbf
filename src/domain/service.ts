import type { Environment } from './environment.ts'
import { linkVariables, type LinkAddress } from './link.ts'

/** What an engine needs to run a service, a resource that apps share. Holds secrets. */
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
