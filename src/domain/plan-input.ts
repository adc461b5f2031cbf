import type { BuiltImages } from './build.ts'
import type { Environment } from './environment.ts'
import type { Formation, Manifest } from './manifest.ts'
import type { NoticedPort } from './noticed-port.ts'
import type { ServiceLink } from './service-link.ts'

/** What the rack adds to a release to make a plan. */
export interface PlanInput {
  rack: string
  domain: string
  app: string
  release: string
  build: string
  manifest: Manifest
  images: BuiltImages
  environment: Environment
  /** By process type; a type that is not here takes the manifest's. */
  formation: Record<string, Formation>
  services: ServiceLink[]
  /** `LINK_*` of process types whose image is known and says none, by type. */
  ownLinks?: Record<string, Environment>
  /** How many graphics processors the rack has; none where it is left out. */
  gpus?: number
  /** Ports that are served by name although no file says so; none where it is left out. */
  noticed?: NoticedPort[]
  /** What the engine has for volumes, by the names of the file; one that is not here is called as there. */
  volumes?: Record<string, string>
}
