import { createServer, type ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { AccountClosed, type FakeClock } from './clock.ts'
import { AwsError, type Call, type FakeService } from './fake-service.ts'
import { type CallRecord, Calls, Cut, createFaults, type Faults } from './faults.ts'
import { type Allowance, createThrottle } from './throttle.ts'
import { type Answer, credentialOf, readRequest, type Wire, type WireRequest } from './wire/request.ts'
import { jsonRpc } from './wire/json-rpc.ts'
import { query } from './wire/query.ts'
import { restJson, restS3, restXml } from './wire/rest.ts'
import { errorOf, type Operation, operationOf } from './wire/shape.ts'
import { assertRequired, Refusal } from './wire/value.ts'
import { writeMembers } from './wire/xml-value.ts'

/** How each service writes its requests and answers (V), and what it calls a request that it cannot take (S: names in the SDK's models; else J). */
const wires: Record<string, { wire: Wire; refusal: string }> = {
  cloudformation: { wire: query, refusal: 'ValidationError' },
  codebuild: { wire: jsonRpc, refusal: 'InvalidInputException' },
  ecr: { wire: jsonRpc, refusal: 'InvalidParameterException' },
  ecs: { wire: jsonRpc, refusal: 'InvalidParameterException' },
  elasticfilesystem: { wire: restJson, refusal: 'BadRequest' },
  elasticloadbalancing: { wire: query, refusal: 'ValidationError' },
  iam: { wire: query, refusal: 'InvalidInput' },
  kms: { wire: jsonRpc, refusal: 'ValidationException' },
  logs: { wire: jsonRpc, refusal: 'InvalidParameterException' },
  acm: { wire: jsonRpc, refusal: 'ValidationException' },
  monitoring: { wire: jsonRpc, refusal: 'InvalidParameterValueException' },
  pricing: { wire: jsonRpc, refusal: 'InvalidParameterException' },
  rds: { wire: query, refusal: 'InvalidParameterValue' },
  route53: { wire: restXml, refusal: 'InvalidInput' },
  s3: { wire: restS3, refusal: 'InvalidArgument' },
  secretsmanager: { wire: jsonRpc, refusal: 'InvalidParameterException' },
  servicediscovery: { wire: jsonRpc, refusal: 'InvalidInput' },
  servicequotas: { wire: jsonRpc, refusal: 'IllegalArgumentException' },
  ssm: { wire: jsonRpc, refusal: 'ValidationException' },
  sts: { wire: query, refusal: 'ValidationError' },
}

export interface FakeServer {
  endpoint: string
  calls: Calls
  faults: Faults
  close(): Promise<void>
}

interface Served {
  service: FakeService
  wire: Wire
  refusal: string
  operations: Operation[]
}

/** Its errors go over the wire by their codes and statuses in the SDK's model, which clients turn into names again. */
function writeError({ service, wire }: Served, error: AwsError, requestId: string): Answer {
  const shape = errorOf(service.sdk, error.name)
  const code = shape?.own.awsQueryError?.[0] ?? error.name
  const status = shape?.own.awsQueryError?.[1] ?? shape?.own.httpError ?? error.status
  const details = shape ? writeMembers(shape, error.details) : ''
  return wire.error(
    new AwsError(error.name, error.message, status, error.details),
    { code, body: details },
    requestId,
  )
}

function serve(service: FakeService): Served {
  const found = wires[service.scope]
  if (!found) throw new Error(`nobody said how ${service.scope} is spoken`)
  const operations = Object.keys(service.actions).map((action) => {
    const operation = operationOf(service.sdk, action)
    if (!operation) throw new Error(`the SDK's ${service.scope} has no ${action}`)
    return operation
  })
  return { service, ...found, operations }
}

export interface ServerOptions {
  clock: FakeClock
  services: FakeService[]
  /** In place of AWS's. */
  allowances?: Allowance[]
  onTrouble(error: unknown): void
}

/** How services say that AWS does something which this fake does not. */
const notModelled = new Set(['NotModelledException', 'UnsupportedFeatureException'])

class Exchange {
  readonly #options: ServerOptions
  readonly #served: Map<string, Served>
  readonly #throttle: ReturnType<typeof createThrottle>
  readonly calls = new Calls()
  readonly faults = createFaults()

  constructor(options: ServerOptions) {
    this.#options = options
    this.#served = new Map(options.services.map((service) => [service.scope, serve(service)]))
    this.#throttle = createThrottle(options.clock, options.allowances)
  }

  /** @throws Cut where nobody is to get an answer */
  async answer(request: WireRequest): Promise<Answer> {
    const requestId = randomUUID()
    const credential = credentialOf(request)
    const served = credential && this.#served.get(credential.service)
    const call = { service: credential?.service ?? '', accessKeyId: credential?.accessKeyId ?? '', requestId }
    if (!served) return this.#stranger(call, request)
    if (this.calls.deadKeys.has(call.accessKeyId)) throw new Cut('its caller is dead')
    const action = served.wire.action(request, served.operations)
    const record = this.calls.add({ ...call, action })
    const told = await this.#perform(served, record, request).catch((error: unknown) =>
      this.#told(served, record, error),
    )
    record.outcome = told instanceof Cut ? 'cut' : told instanceof AwsError ? told.name : 'ok'
    await this.calls.after(record)
    if (told instanceof Cut) throw told
    if (this.calls.deadKeys.has(call.accessKeyId)) throw new Cut('its caller died meanwhile')
    return told instanceof AwsError ? writeError(served, told, requestId) : told
  }

  #stranger(call: Omit<Call, 'action'>, request: WireRequest): Answer {
    const action = request.headers['x-amz-target'] ?? `${request.method} ${request.path}`
    const record = this.calls.add({ ...call, action })
    record.outcome = 'UnknownOperationException'
    this.calls.refuse(record, call.service ? `no service ${call.service} is here` : 'nobody signed it')
    const error = new AwsError(
      'UnknownOperationException',
      `no service '${call.service}' in this fake account`,
    )
    return jsonRpc.error(error, { code: error.name, body: '' }, call.requestId)
  }

  async #perform(served: Served, record: CallRecord, request: WireRequest): Promise<Answer> {
    const name = `${record.service}:${record.action}`
    await this.calls.before(record)
    const operation = served.operations.find((known) => known.name === record.action)
    if (!operation) {
      this.calls.refuse(record, 'no such action is here')
      throw new AwsError('UnknownOperationException', `${name} is not in this fake account`)
    }
    const throttled = this.#throttle(name)
    if (throttled) throw new AwsError(throttled.error, 'Rate exceeded')
    const fault = this.faults.take(name)
    if (fault?.delayMs) await this.#options.clock.pass(fault.delayMs)
    if (fault?.error) throw fault.error
    const input = served.wire.read(request, operation)
    assertRequired(operation.input, input)
    const output = await served.service.actions[record.action]!(input, record)
    if (fault?.appliedButUnanswered) throw new Cut('applied, and not answered')
    const answer = served.wire.write(operation, output, record.requestId)
    return { ...answer, headers: { ...answer.headers, 'x-amzn-requestid': record.requestId } }
  }

  #told({ refusal }: Served, record: CallRecord, error: unknown): AwsError | Cut {
    if (error instanceof AwsError && notModelled.has(error.name)) this.calls.refuse(record, error.message)
    if (error instanceof AwsError || error instanceof Cut) return error
    if (error instanceof Refusal) {
      this.calls.refuse(record, error.message)
      return new AwsError(refusal, error.message)
    }
    if (error instanceof AccountClosed) return new Cut(error.message)
    this.#options.onTrouble(error)
    return new AwsError('InternalFailure', `the fake itself failed: ${(error as Error).message}`, 500)
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer, isHead: boolean): void {
  const bytes = Buffer.from(body)
  // A length that a service gives (HeadObject) is of a body that does not come.
  response.writeHead(status, { 'content-length': String(bytes.length), ...headers })
  response.end(isHead ? undefined : bytes)
}

/** One port for all services of an account, on this machine only. */
export async function startServer(options: ServerOptions): Promise<FakeServer> {
  const exchange = new Exchange(options)
  const server = createServer((message, response) => {
    readRequest(message)
      .then((request) => exchange.answer(request))
      .then((answer) => send(response, answer, message.method === 'HEAD'))
      .catch((error: unknown) => {
        if (!(error instanceof Cut)) options.onTrouble(error)
        message.socket.destroy()
      })
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls: exchange.calls,
    faults: exchange.faults,
    async close() {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      await closed.promise
    },
  }
}
