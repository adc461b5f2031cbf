interface TestEvent {
  type: string
  /** A test may be defined in another file than the one that was started. */
  data: { file?: string; entryFile?: string }
}

/** A reporter for `node --test`: the file of each test that fails, a line each, once. */
// oxlint-disable-next-line import/no-default-export -- the test runner takes a reporter by that name
export default async function* redFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const told = new Set<string>()
  for await (const { type, data } of events) {
    const file = data.entryFile ?? data.file
    if (type !== 'test:fail' || !file || told.has(file)) continue
    told.add(file)
    yield `${file}\n`
  }
}
