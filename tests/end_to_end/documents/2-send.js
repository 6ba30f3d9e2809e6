async function sendNotification() {
    const response = await fetch('/api/notifications/send/', {
        method: 'POST',
        headers: {
            'Content-Type': 'application/json',
            'X-CSRFToken': getCookie('csrftoken')
        },
        body: JSON.stringify({
            title: 'New Alert',
            message: 'Important update!',
            priority: 'high'
        })
    });
    
    const result = await response.json();
    console.log(result);
}
