// What a reader did at a film and the page's script has not heard of, because the reader left the
// film's page first: it is sent from the page that came after.

/** Streamlit calls this at first and whenever messages were acknowledged.
 * @param {ComponentArguments<Record<string, number>>} component */
export default function ({ data, parentElement, setStateValue }) {
  const senders = Object.entries(data).map(([name, acknowledged]) => {
    const sender = new Sender(parentElement, name);
    sender.send = setStateValue;
    sender.acknowledge(acknowledged);
    return sender;
  });
  return () => {
    for (const sender of senders) sender.stop();
  };
}
