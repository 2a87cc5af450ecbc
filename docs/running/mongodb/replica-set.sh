#!/usr/bin/env bash
# Makes the replica set of compose.replica-set.yaml, and its users. Run again, it changes nothing.
set -euo pipefail

admin_password=$(cat /run/secrets/mongodb-admin-password)
export MONGODB_LIAISON_PASSWORD; MONGODB_LIAISON_PASSWORD=$(cat /run/secrets/liaison-mongodb-password)
shell=(mongosh --quiet --host mongo1 --username admin --password "$admin_password" --authenticationDatabase admin)

"${shell[@]}" --eval '
  try {
    rs.status();
  } catch (error) {
    if (error.codeName !== "NotYetInitialized") throw error;
    rs.initiate({
      _id: "liaison",
      members: ["mongo1", "mongo2", "mongo3"].map((name, _id) => ({ _id, host: `${name}:27017` })),
    });
  }
  while (!db.hello().isWritablePrimary && !db.hello().primary) sleep(500);
'

"${shell[@]/mongo1/liaison/mongo1,mongo2,mongo3}" --file /init/users.js
