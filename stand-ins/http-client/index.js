// @actions/core wants an HTTP client for OpenID Connect tokens alone. This action asks for none.
export class HttpClient {
  constructor() {
    throw new Error(
      "This action contains no HTTP client, so that the code that holds deploy keys cannot send them anywhere; OpenID Connect tokens are not available.",
    );
  }
}
