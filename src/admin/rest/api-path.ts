/** Where the REST API is: for whoever names an address of it and serves none. */

export const API_PATH = "/admin/api/v1";
