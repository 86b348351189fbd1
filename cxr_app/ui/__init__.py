"""The pages: Streamlit, and nothing but; every number on them comes from the floors below."""
