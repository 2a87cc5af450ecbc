// The rights that Liaison needs and no others, for mongosh:
// MONGODB_LIAISON_PASSWORD=… mongosh "mongodb://admin@…" --file users.js
// `liaisonBroker` is for brokers; `liaisonMigrate` for `liaison migrate` and `liaison copy`. One user may
// have both.

const name = process.env.MONGODB_LIAISON_DATABASE ?? "liaison";
const database = db.getSiblingDB(name);
const resource = { db: name, collection: "" };

const roles = {
  liaisonBroker: ["find", "insert", "update", "remove", "listCollections", "listIndexes"],
  liaisonMigrate: ["createCollection", "createIndex", "dropIndex", "collMod"],
};
for (const [role, actions] of Object.entries(roles)) {
  const privileges = [{ resource, actions }];
  if (database.getRole(role) === null) database.createRole({ role, privileges, roles: [] });
  else database.updateRole(role, { privileges });
}
if (database.getUser("liaison") === null) {
  database.createUser({
    user: "liaison",
    pwd: process.env.MONGODB_LIAISON_PASSWORD,
    roles: Object.keys(roles),
  });
}
