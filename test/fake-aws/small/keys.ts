import { randomUUID } from 'node:crypto'
import * as sdk from '@aws-sdk/client-kms'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { assertModelled } from '../modelled.ts'

/** The keys of an account: nothing is encrypted by them here. */
export interface KeyRing {
  make(): { id: string; arn: string }
  /** By id or ARN; not so once its deletion is scheduled. */
  isUsable(key: string): boolean
  scheduleDeletion(key: string, days: number): void
}

const dayMs = 86_400_000

class Keys implements KeyRing {
  readonly #account: FakeAccount
  /** When it goes, of the account's time; null for one that stays. */
  readonly #keys = new Map<string, number | null>()

  constructor(account: FakeAccount) {
    this.#account = account
  }

  arn(id: string): string {
    return `arn:aws:kms:${this.#account.region}:${this.#account.account}:key/${id}`
  }

  make(): { id: string; arn: string } {
    const id = randomUUID()
    this.#keys.set(id, null)
    return { id, arn: this.arn(id) }
  }

  isUsable(key: string): boolean {
    return this.#keys.get(idOf(key)) === null
  }

  scheduleDeletion(key: string, days: number): void {
    const id = idOf(key)
    if (!this.#keys.has(id)) throw new AwsError('NotFoundException', `Key '${key}' does not exist`)
    // D: ScheduleKeyDeletion: of a key that is pending it is refused.
    if (!this.isUsable(id))
      throw new AwsError('KMSInvalidStateException', `${this.arn(id)} is pending deletion.`)
    // S: 7 to 30 days.
    if (!(days >= 7 && days <= 30)) throw new AwsError('ValidationException', 'PendingWindowInDays: 7 to 30')
    this.#keys.set(id, this.#account.clock.now() + days * dayMs)
  }

  schedule(input: sdk.ScheduleKeyDeletionRequest): sdk.ScheduleKeyDeletionResponse {
    assertModelled(input, ['KeyId', 'PendingWindowInDays'], 'ScheduleKeyDeletion')
    const { KeyId = '', PendingWindowInDays = 30 } = input
    this.scheduleDeletion(KeyId, PendingWindowInDays)
    return {
      KeyId: this.arn(idOf(KeyId)),
      DeletionDate: new Date(this.#keys.get(idOf(KeyId))!),
      KeyState: 'PendingDeletion',
      PendingWindowInDays,
    }
  }
}

const idOf = (key: string) => key.replace(/^.*:key\//, '')

export function createKeys(account: FakeAccount): { service: FakeService; keys: KeyRing } {
  const keys = new Keys(account)
  const actions: FakeService['actions'] = {
    ScheduleKeyDeletion: async (input: sdk.ScheduleKeyDeletionRequest) => keys.schedule(input),
  }
  return { service: { scope: 'kms', sdk, actions }, keys }
}
