/** Percent-decoding of what a request target binds to fields (http.proto, "Path template syntax"). */

/** The value of one segment. Throws URIError when it is not percent-encoded UTF-8. */
export function decodeSegment(segment: string): string {
  return decodeURIComponent(segment);
}

/** The value of several segments: "%2F" stays as it is, so that it cannot be taken for a separator. */
export function decodeSegments(segments: readonly string[]): string {
  return segments
    .map((segment) =>
      segment
        .split(/(?<slash>%2F)/iu)
        .map((part) => (/^%2F$/iu.test(part) ? part : decodeURIComponent(part)))
        .join(''),
    )
    .join('/');
}

/** Simple string expansion (RFC 6570, section 3.2.2): all but unreserved characters are encoded. */
export function encodeSegment(value: string): string {
  return encodeURIComponent(value).replaceAll(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
