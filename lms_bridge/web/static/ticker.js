// A clock in a thread of its own: the timers of a page that is not looked at are slowed down to one in a minute.
setInterval(() => postMessage(0), 1000);
