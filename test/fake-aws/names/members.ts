import type { Service } from '@aws-sdk/client-servicediscovery'
import { AwsError, type FakeAccount } from '../fake-service.ts'
import { inBackground } from '../in-background.ts'
import type { NameInstances } from '../links.ts'
import { absolute } from './change-batch.ts'

/** One address of a service. */
interface Instance {
  address: string
  /** The resolver knows it. */
  isServed: boolean
  isLeaving: boolean
}

export interface MemberService extends Service {
  Id: string
  Arn: string
  Name: string
  ttl: number
  instances: Map<string, Instance>
}

/** Until an instance that comes or goes is in DNS or out of it (J). */
const delayMs = () => 2000 + Math.random() * 18_000

/** The services of one namespace of Cloud Map, by id. */
export class Members implements NameInstances {
  readonly services = new Map<string, MemberService>()
  /** Of the namespace, with its dot. */
  readonly zone: string
  /** Whether the namespace is. */
  isThere = true
  readonly #account: FakeAccount

  constructor(account: FakeAccount, zone: string) {
    this.#account = account
    this.zone = absolute(zone)
  }

  assertThere(arn: string): void {
    this.#find(arn)
  }

  register(arn: string, { id, address }: { id: string; address: string }): void {
    const { instances } = this.#find(arn)
    const there = instances.get(id)
    if (there && there.address === address && !there.isLeaving) return
    const instance = { address, isServed: false, isLeaving: false }
    instances.set(id, instance)
    inBackground(this.#account, this.#serve(instance))
  }

  /** Until it is out of DNS it counts as an instance, so that the service cannot be deleted (J). */
  deregister(arn: string, id: string): void {
    const service = this.#byArn(arn)
    const instance = service?.instances.get(id)
    if (!service || !instance) return
    instance.isLeaving = true
    inBackground(this.#account, this.#drop(service, id, instance))
  }

  /** Takes all entries of a service away, of whose tasks ECS hears nothing. */
  unlistByHand(arn: string): void {
    this.#find(arn).instances.clear()
  }

  /** What DNS gives for a name of the namespace; null for a name that has no address (J: then there is no record). */
  addressesOf(name: string): { ttl: number; addresses: string[] } | null {
    const service = [...this.services.values()].find(({ Name }) => absolute(`${Name}.${this.zone}`) === name)
    const served = [...(service?.instances.values() ?? [])].filter(({ isServed }) => isServed)
    return served.length > 0 ? { ttl: service!.ttl, addresses: served.map(({ address }) => address) } : null
  }

  async #serve(instance: Instance): Promise<void> {
    await this.#account.clock.pass(delayMs())
    instance.isServed = !instance.isLeaving
  }

  async #drop({ instances }: MemberService, id: string, instance: Instance): Promise<void> {
    await this.#account.clock.pass(delayMs())
    instance.isServed = false
    if (instances.get(id) === instance) instances.delete(id)
  }

  #byArn(arn: string): MemberService | undefined {
    return [...this.services.values()].find(({ Arn }) => Arn === arn)
  }

  #find(arn: string): MemberService {
    const service = this.#byArn(arn)
    if (!service)
      throw new AwsError('InvalidParameterException', `The service registry '${arn}' does not exist`)
    return service
  }
}
