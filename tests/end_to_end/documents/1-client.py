import asyncio
import websockets
import json

async def connect_notifications(token):
    uri = f"ws://localhost:8000/ws/notifications/?token={token}"
    async with websockets.connect(uri) as websocket:
        # Receive welcome message
        message = await websocket.recv()
        print(json.loads(message))

        # Listen for notifications
        async for message in websocket:
            data = json.loads(message)
            print(f"Received: {data}")

asyncio.run(connect_notifications("your-jwt-token"))
