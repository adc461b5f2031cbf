import type { Control } from '../../src/domain/control.ts'
import { createOwnImages } from '../../src/aws/registry/own-images.ts'
import type { BuildRequest, Engine } from '../../src/domain/engine.ts'
import { connectToDocker } from '../fake-aws/ecs/task-network.ts'
import { createSemaphore } from '../../src/lib/semaphore.ts'
import { openAwsRack } from './aws-rack.ts'
import { startRackOn } from './memory-rack.ts'
import { slimImage } from './slim-image.ts'

/** Operations, with a real store, on a rack in a fake account. Images are this machine's own. */
export async function startAwsOperations() {
  await using undo = new AsyncDisposableStack()
  const rack = await openAwsRack()
  undo.defer(() => rack.close())
  const engine = withImagesOfHere(rack)
  const over = undo.use(await startRackOn(rack.rack, () => engine, { patienceMs: 900_000 }))
  const closing = undo.move()
  return {
    ...over,
    rack: rack.rack,
    account: rack.account,
    clients: rack.clients,
    /** The engine as a daemon that was started again sees it. */
    reopen: rack.reopen,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** Where images of this machine stand in for a registry of the world. */
const mirror = 'mirror'

/** What a build names is looked for in a repository of the account, into which this machine's image goes before. */
function withImagesOfHere({ engine, account, clients }: Awaited<ReturnType<typeof openAwsRack>>): Engine {
  account.repositories.create(mirror)
  const docker = connectToDocker()
  const pushed = new Map<string, Promise<string>>()
  const turns = createSemaphore(1)
  const placeOf = (image: string) => {
    const push = async () => await account.repositories.push(mirror, await slimImage(docker, image))
    // One after another: they are pushed under the name of one repository.
    const known = pushed.get(image) ?? turns.run(push)
    pushed.set(image, known)
    return known
  }
  const own = createOwnImages(clients.images)
  const build = async (request: BuildRequest, control: Control) => {
    const images = request.images.map(async (each) => ({
      ...each,
      image: each.image && (await placeOf(each.image)),
    }))
    const logins = [...(request.logins ?? []), await own.login(control.signal)]
    return await engine.build({ ...request, logins, images: await Promise.all(images) }, control)
  }
  return { ...engine, build }
}
