import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as sdk from '@aws-sdk/client-efs'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import type { FileSystems } from '../links.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'

interface AccessPoint {
  id: string
  token: string
  fileSystem: string
  tags: sdk.Tag[]
  root: sdk.RootDirectory
  availableAtMs: number
}

const failed = (name: string, message: string, status: number, more: object = {}) =>
  new AwsError(name, message, status, { ErrorCode: name, Message: message, ...more })
const badRequest = (message: string) => failed('BadRequest', message, 400)

/** J: an access point is `creating` for a moment. */
const creationMs = 1000
/** Fewer than AWS gives, so that pages are met. */
const mostOnPage = 20

export interface FileSystemMaker {
  /** Makes an empty file system. */
  add(id: string): void
  /** With all that lies in it. @throws AwsError where it has mount targets */
  remove(id: string): void
  has(id: string): boolean
  /** @throws AwsError where the zone has one already */
  mount(fileSystem: string, mount: { target: string; zone: string }): void
  unmount(target: string): void
}

class Efs implements FileSystems, FileSystemMaker {
  readonly #account: FakeAccount
  readonly #fileSystems = new Set<string>()
  readonly #mounts = new Map<string, { fileSystem: string; zone: string }>()
  readonly #points = new Map<string, AccessPoint>()

  constructor(account: FakeAccount) {
    this.#account = account
  }

  add(id: string): void {
    this.#fileSystems.add(id)
    mkdirSync(join(this.#account.directory, 'efs', id), { recursive: true })
  }

  has(id: string): boolean {
    return this.#fileSystems.has(id)
  }

  /** Its access points go with it (J). */
  remove(id: string): void {
    this.#assertFileSystem(id)
    if ([...this.#mounts.values()].some(({ fileSystem }) => fileSystem === id))
      throw failed('FileSystemInUse', `${id} has mount targets`, 409)
    this.#fileSystems.delete(id)
    for (const point of this.#points.values()) if (point.fileSystem === id) this.#points.delete(point.id)
    rmSync(join(this.#account.directory, 'efs', id), { recursive: true })
  }

  mount(fileSystem: string, { target, zone }: { target: string; zone: string }): void {
    this.#assertFileSystem(fileSystem)
    // D: CreateMountTarget: one a zone.
    if ([...this.#mounts.values()].some((other) => other.fileSystem === fileSystem && other.zone === zone))
      throw failed('MountTargetConflict', 'mount target already exists in this AZ', 409)
    this.#mounts.set(target, { fileSystem, zone })
  }

  unmount(target: string): void {
    this.#mounts.delete(target)
  }

  #assertFileSystem(id: string | undefined): string {
    if (id === undefined || !this.#fileSystems.has(id))
      throw failed('FileSystemNotFound', `File system '${id}' does not exist.`, 404)
    return id
  }

  create(input: sdk.CreateAccessPointRequest): sdk.AccessPointDescription {
    assertModelled(input, ['ClientToken', 'FileSystemId', 'Tags', 'RootDirectory'], 'CreateAccessPoint')
    const fileSystem = this.#assertFileSystem(input.FileSystemId)
    const token = input.ClientToken!
    if (token.length < 1 || token.length > 64) throw badRequest('ClientToken must have 1 to 64 characters')
    const path = input.RootDirectory?.Path ?? '/'
    // D: RootDirectory: up to 100 characters, up to four levels, of which none begins with a dot.
    if (!/^(\/|(\/(?!\.)[^$#<>;`|&?{}^*/\n]+){1,4})$/.test(path) || path.length > 100)
      throw badRequest(`Path '${path}' is invalid`)
    const old = [...this.#points.values()].find(
      (point) => point.token === token && point.fileSystem === fileSystem,
    )
    if (old)
      throw failed(
        'AccessPointAlreadyExists',
        `Access point '${old.id}' already exists with creation token '${token}'`,
        409,
        { AccessPointId: old.id },
      )
    const id = `fsap-${randomBytes(8).toString('hex')}0`
    const availableAtMs = this.#account.clock.now() + creationMs
    const point = {
      id,
      token,
      fileSystem,
      tags: input.Tags ?? [],
      root: { ...input.RootDirectory, Path: path },
      availableAtMs,
    }
    this.#points.set(id, point)
    return this.#described(point)
  }

  #described({ id, token, fileSystem, tags, root, availableAtMs }: AccessPoint): sdk.AccessPointDescription {
    const { region, account, clock } = this.#account
    const name = tags.find(({ Key }) => Key === 'Name')?.Value
    return {
      AccessPointId: id,
      AccessPointArn: `arn:aws:elasticfilesystem:${region}:${account}:access-point/${id}`,
      ClientToken: token,
      FileSystemId: fileSystem,
      Tags: tags,
      RootDirectory: root,
      OwnerId: account,
      LifeCycleState: clock.now() < availableAtMs ? 'creating' : 'available',
      ...(name !== undefined && { Name: name }),
    }
  }

  #point(id: string | undefined): AccessPoint {
    const point = this.#points.get(id ?? '')
    if (!point) throw failed('AccessPointNotFound', `Access Point ${id} does not exist.`, 404)
    return point
  }

  describe(input: sdk.DescribeAccessPointsRequest): sdk.DescribeAccessPointsResponse {
    const { AccessPointId: id, FileSystemId: fileSystem, NextToken: token, MaxResults: most = 100 } = input
    // D: DescribeAccessPoints: mutually exclusive.
    if (id !== undefined && fileSystem !== undefined)
      throw badRequest('AccessPointId and FileSystemId are mutually exclusive')
    if (id !== undefined) return { AccessPoints: [this.#described(this.#point(id))] }
    if (fileSystem !== undefined) this.#assertFileSystem(fileSystem)
    const found = [...this.#points.values()].filter(
      (point) => fileSystem === undefined || point.fileSystem === fileSystem,
    )
    const { page, next } = paged(found, token, {
      pageSize: Math.min(most, mostOnPage),
      key: (point) => point.id,
      error: 'BadRequest',
    })
    return { AccessPoints: page.map((point) => this.#described(point)), ...(next && { NextToken: next }) }
  }

  delete({ AccessPointId: id }: sdk.DeleteAccessPointRequest): object {
    this.#points.delete(this.#point(id).id)
    return {}
  }

  /** Files stay when an access point goes (D: DeleteAccessPoint removes the entry only). */
  path(fileSystem: string, accessPoint: string): string {
    this.#assertFileSystem(fileSystem)
    const point = this.#point(accessPoint)
    if (point.fileSystem !== fileSystem)
      throw badRequest(`access point ${accessPoint} is of another file system`)
    if (this.#account.clock.now() < point.availableAtMs)
      throw badRequest(`access point ${accessPoint} is still creating`)
    const directory = join(this.#account.directory, 'efs', fileSystem, point.root.Path!)
    if (existsSync(directory)) return directory
    const made = point.root.CreationInfo
    // D: without creation info a root that is not there cannot be mounted.
    if (!made) throw badRequest(`the root directory of ${accessPoint} does not exist`)
    if (made.OwnerUid === undefined || made.OwnerGid === undefined || !made.Permissions)
      throw new NotModelled('half of CreationInfo')
    mkdirSync(directory, { recursive: true })
    chmodSync(directory, Number.parseInt(made.Permissions, 8))
    chownSync(directory, made.OwnerUid, made.OwnerGid)
    return directory
  }
}

export function createFileSystems(account: FakeAccount): {
  service: FakeService
  fileSystems: FileSystems & FileSystemMaker
} {
  const efs = new Efs(account)
  const actions: FakeService['actions'] = {
    CreateAccessPoint: async (input: sdk.CreateAccessPointRequest) => efs.create(input),
    DescribeAccessPoints: async (input: sdk.DescribeAccessPointsRequest) => efs.describe(input),
    DeleteFileSystem: async ({ FileSystemId }: sdk.DeleteFileSystemRequest) => {
      efs.remove(FileSystemId!)
      return {}
    },
    DeleteAccessPoint: async (input: sdk.DeleteAccessPointRequest) => efs.delete(input),
  }
  return { service: { scope: 'elasticfilesystem', sdk, actions }, fileSystems: efs }
}
