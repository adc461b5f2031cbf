import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { Plan } from '../../../domain/plan.ts'
import { findImage } from '../images/images.ts'
import type { EngineParts } from '../parts.ts'
import { noTable } from '../names/port-keeper.ts'
import { appRoutes, tcpPlace } from './app-routes.ts'

/** What would fail a deploy when copies have stopped already, asked of the router and of Docker. */
export async function obstaclesOf(
  parts: EngineParts,
  { plan, starting }: { plan: Plan; starting: ReadonlySet<string> },
  control: Control,
): Promise<RackError[]> {
  const routes = appRoutes(plan, [], tcpPlace(parts))
  const clashes = routes ? await parts.router.obstacles(routes, control) : []
  if (routes?.udp) {
    await parts.names.begin(control)
    if (!parts.names.isUsed()) clashes.push(noTable())
  }
  return [...clashes, ...(await lostImages(parts, plan, starting, control))]
}

async function lostImages(
  { docker }: EngineParts,
  { processes, build, owner: { name: app } }: Plan,
  starting: ReadonlySet<string>,
  control: Control,
): Promise<RackError[]> {
  const wanted = processes.filter(({ type, count }) => count > 0 && starting.has(type))
  const found = await Promise.all(wanted.map(async ({ image }) => await findImage(docker, image, control)))
  return wanted.flatMap(({ type }, index) => {
    if (found[index]) return []
    const text = `the image of ${type} that ${build} has made is not on this machine any more`
    const hint = `Build it again: rack builds rebuild ${build} --app ${app}, or rack deploy --app ${app}`
    return [new RackError('image-unavailable', text, { hint })]
  })
}
