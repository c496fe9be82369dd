DROP TABLE published_events;
DROP TABLE queues;
