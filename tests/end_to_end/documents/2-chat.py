import asyncio
import websockets
import json

async def test_chat():
    async with websockets.connect('ws://localhost:8000/ws/chat/general/') as ws:
        # Send message
        await ws.send(json.dumps({
            'type': 'chat_message',
            'message': 'Hello from Python',
            'username': 'PythonBot'
        }))
        
        # Receive response
        response = await ws.recv()
        print(response)

asyncio.run(test_chat())
