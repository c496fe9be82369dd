# Deletes queues, so that none stays at the broker. The arguments are the broker and the names.
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
for name in sys.argv[2:]:
    connection.channel().queue_delete(name)
connection.close()
