def broadcast_counter_update(action, value):
    channel_layer = get_channel_layer()
    
    async_to_sync(channel_layer.group_send)(
        'global_counter',
        {
            'type': 'counter_update',
            'action': action,
            'value': value,
            'timestamp': datetime.datetime.now().isoformat()
        }
    )
