// Sends the documents of standard input through the client's bulk helper, and tells on standard output what became of each.
// usage: NODE_PATH=… node bulk.js URL [FORM KEY] <DOCUMENTS: one JSON object a line, {"id","op","document"}
//        FORM: basic, bearer or apikey
const { Client } = require('@elastic/elasticsearch')

const [url, form, key] = process.argv.slice(2)
const access = { basic: { username: 'metronome', password: key }, bearer: { bearer: key }, apikey: { apiKey: key } }
const client = new Client({ node: url, auth: access[form] })

const tell = (id, ok, status, reason) => console.log(JSON.stringify({ id, ok, status, reason }))

// Sends documents once; answers those of which it is not known what became.
async function send (waiting) {
  const of = new Map([...waiting.values()].map(one => [one.document, one]))
  await client.helpers.bulk({
    datasource: [...of.keys()],
    flushBytes: 20000,
    concurrency: 1,
    retries: 3,
    wait: 100,
    onDocument: document => ({ [of.get(document).op]: { _index: 'senders', _id: of.get(document).id } }),
    onSuccess: ({ result }) => {
      const said = Object.values(result)[0]
      waiting.delete(said._id)
      tell(said._id, true, said.status, '')
    },
    onDrop: ({ status, error, operation }) => {
      if (status === 429 || status >= 500) return
      const { _id } = Object.values(operation)[0]
      waiting.delete(_id)
      tell(_id, false, status, error.reason)
    }
  })
}

async function main () {
  let text = ''
  for await (const part of process.stdin) text += part
  const waiting = new Map(text.trim().split('\n').map(line => JSON.parse(line)).map(one => [one.id, one]))
  // What the client gives up is sent again, as an application would that must not lose it.
  for (let tries = 0; waiting.size > 0 && tries < 100; tries++) {
    try {
      const info = await client.info()
      if (info.tagline !== 'You Know, for Search') throw new Error('tagline')
      await send(waiting)
    } catch (error) {
      console.error(error.name, error.message.replace(/\s+/g, ' '))
    }
    if (waiting.size > 0) await new Promise(resolve => setTimeout(resolve, 200))
  }
  for (const id of waiting.keys()) tell(id, false, 0, 'given up')
}

main().catch(error => { console.error(error); process.exit(1) })
