// A Yjs client as an application has it, told what to do by lines of JSON. `server`, `room` and `token` are given.

const Y = require('yjs')
const { WebsocketProvider } = require('y-websocket')

const shared = new Y.Doc()
const text = shared.getText('text')
const provider = new WebsocketProvider(server, room, shared, { params: { token }, disableBc: true })
const { awareness } = provider

const print = (what, value) => console.log(what, JSON.stringify(value))
let expected = null
let awaited = null
const check = () => {
  if (text.length === expected) print('complete', text.toString())
}

provider.on('sync', (isSynced) => print(isSynced ? 'synced' : 'not synced', text.toString()))
provider.on('connection-close', (event) => print('closed', event && { code: event.code, reason: event.reason }))
shared.on('update', check)
awareness.on('change', () => greet())

const greet = () => {
  const found = [...awareness.getStates().values()].find(({ user }) => user?.name === awaited)
  if (awaited && found) print('met', found)
}

// Inserts words at places that change all the time, and takes back a letter of each.
const type = async ({ words, name }) => {
  for (let number = 0; number < words; number++) {
    const word = `${name}${number};`
    const at = (number * 7919) % (text.length + 1)
    text.insert(at, `${word}!`)
    text.delete(at + word.length, 1)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const commands = {
  insert: ([at, word]) => text.insert(at, word),
  type,
  expect: (length) => {
    expected = length
    check()
  },
  meet: (name) => {
    awaited = name
    greet()
  },
  present: (state) => awareness.setLocalState(state),
  leave: () => {
    provider.destroy()
    process.exit(0)
  }
}

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  for (const [command, argument] of Object.entries(JSON.parse(line))) commands[command](argument)
})
